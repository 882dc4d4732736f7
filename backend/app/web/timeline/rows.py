"""Arranges items in rows without overlap."""

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def in_rows(
    items: Iterable[T], extent: Callable[[T], tuple[float, float]], *, max_rows: int
) -> tuple[list[tuple[int, T]], list[T]]:
    """Place each item in the first row with room for it.

    Args:
        items: the items, sorted by their start.
        extent: returns the start and the end of an item.
        max_rows: the number of rows.

    Returns:
        The items with their rows, and the items without room.
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
