"""What a sheet of an Excel workbook can hold.

The limits are in https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3.
"""

MAX_ROWS = 1_048_576
"""The most rows, with the header."""

MAX_CHARACTERS = 32_767
"""The most characters of a cell, counted as UTF-16 does."""

LARGEST_INTEGER = 2**53
"""Excel's numbers are floating point numbers: a larger integer is written as text."""

CUT = " [cut: too long for a cell]"
"""The end of a text that is longer than a cell may be."""


def fitting(text: str) -> str:
    """Return a text, cut with :data:`CUT` if it has more characters than a cell may have."""
    # a character beyond the first 65,536 counts twice
    if len(text) <= MAX_CHARACTERS // 2:
        return text
    encoded = text.encode("utf-16-le")
    if len(encoded) <= 2 * MAX_CHARACTERS:
        return text
    return encoded[: 2 * (MAX_CHARACTERS - len(CUT))].decode("utf-16-le", "ignore") + CUT
