"""Numbers and lists as people write them."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_FEW = 10


def span(seconds: float) -> str:
    """Write a duration: ``0.4 s``, ``40 s``, ``3 min``, ``2.5 h``, ``24 h``, ``3 days``."""
    if seconds < _FEW:
        return f"{seconds:.1f} s"
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.1f}".removesuffix(".0") + " h"
    return f"{seconds / _DAY:.0f} days"


def size(count: float) -> str:
    """Write a number of bytes: ``812 KB``, ``3.2 GB``."""
    for unit in ("bytes", "KB", "MB"):
        if count < 1_000:  # noqa: PLR2004 - the next unit
            return f"{count:.0f} {unit}"
        count /= 1_000
    return f"{count:.1f} GB"


def some(names: list[str], most: int = 5) -> str:
    """Write a list, shortened to the first few names."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def shortened(text: str, most: int) -> str:
    """Cut a text to a number of characters, and show that it was cut."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
