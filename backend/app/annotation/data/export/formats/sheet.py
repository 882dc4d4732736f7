"""The limits of a sheet of an Excel workbook.

The limits are in https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3.
"""

MAX_ROWS = 1_048_576
"""Maximum number of rows, including the header."""

MAX_CHARACTERS = 32_767
"""Maximum length of a cell in UTF-16 code units."""

MAX_EXACT_INTEGER = 2**53
"""The largest exact integer: Excel's numbers are floating point numbers. Larger integers are
written as text."""

CUT = " [cut: too long for a cell]"
"""The end of a text that was cut to fit into a cell."""


def fitting(text: str) -> str:
    """Return a text, cut and marked with :data:`CUT` if it does not fit into a cell."""
    # a character outside the Basic Multilingual Plane counts twice
    if len(text) <= MAX_CHARACTERS // 2:
        return text
    encoded = text.encode("utf-16-le")
    if len(encoded) <= 2 * MAX_CHARACTERS:
        return text
    return encoded[: 2 * (MAX_CHARACTERS - len(CUT))].decode("utf-16-le", "ignore") + CUT
