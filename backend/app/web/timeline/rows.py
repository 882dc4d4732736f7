"""Places what may not overlap in rows."""

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def in_rows(
    items: Iterable[T], extent: Callable[[T], tuple[float, float]], *, max_rows: int
) -> tuple[list[tuple[int, T]], list[T]]:
    """Give each item the first row in which there is room for it.

    Args:
        items: in the order of their beginnings.
        extent: the beginning and the end of an item.
        max_rows: the number of rows.

    Returns:
        the items with their rows, and the items for which there was no room.
    """
    ends: list[float] = []
    placed: list[tuple[int, T]] = []
    left_out: list[T] = []
    for item in items:
        begin, end = extent(item)
        row = next((row for row, taken in enumerate(ends) if taken <= begin), len(ends))
        if row == max_rows:
            left_out.append(item)
            continue
        if row == len(ends):
            ends.append(end)
        ends[row] = end
        placed.append((row, item))
    return placed, left_out
