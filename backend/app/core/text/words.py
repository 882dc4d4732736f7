"""Formats durations, sizes, lists and long texts for people."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_DECIMALS_BELOW = 10


def time_span(seconds: float) -> str:
    """Format a duration: ``0.4 s``, ``40 s``, ``3 min``, ``2.5 h``, ``24 h``, ``3 days``."""
    if seconds < _DECIMALS_BELOW:
        return f"{seconds:.1f} s"
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.1f}".removesuffix(".0") + " h"
    return f"{seconds / _DAY:.0f} days"


def size(count: float) -> str:
    """Format a number of bytes: ``812 KB``, ``3.2 GB``."""
    for unit in ("bytes", "KB", "MB"):
        if count < 1_000:  # noqa: PLR2004 - the next unit
            return f"{count:.0f} {unit}"
        count /= 1_000
    return f"{count:.1f} GB"


def some(names: list[str], limit: int = 5) -> str:
    """Format a list, shortened to the first few names: ``a, b and 3 more``."""
    rest = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {rest} more" if rest > 0 else "")


def shortened(text: str, limit: int) -> str:
    """Truncate a text to a number of characters, with an ellipsis at the end."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
