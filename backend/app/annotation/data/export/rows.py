"""Converts genes and their answers to rows."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from app.annotation.data.export.order import CellType, Leaf, Order, Row

GeneRow = Sequence[Any]
"""The id of a gene, and its first cells."""

AnswerRow = Sequence[Any]
"""The gene id, the source, the state, the release, the time of fetching, and the data as text."""

Batch = tuple[Sequence[GeneRow], Iterable[AnswerRow]]
"""Some genes, and all answers about them."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(order="sorted").encode

_ACCEPTED: dict[CellType, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "number": (float, int),
    "boolean": (bool,),
}


def rows_of(order: Order, misfits: Counter[str]) -> Callable[[Batch], Iterator[Row]]:
    """Return a function that converts a batch of genes to rows.

    Args:
        order: the order.
        misfits: counts the values of a wrong type, by column.
    """
    if order.long is None:
        return _Wide(order, misfits).rows
    return _Long(order, misfits).rows


def by_gene(answers: Iterable[AnswerRow]) -> dict[int, list[AnswerRow]]:
    """Return the answers by the id of the gene."""
    found: dict[int, list[AnswerRow]] = {}
    for answer in answers:
        found.setdefault(answer[0], []).append(answer)
    return found


class _Cells:
    """Extracts the values of some columns from an object."""

    def __init__(self, leaves: Sequence[Leaf], names: Sequence[str], misfits: Counter[str]) -> None:
        self._leaves = [
            (name, leaf.path[:-1], leaf.path[-1], _ACCEPTED.get(leaf.type))
            for leaf, name in zip(leaves, names, strict=True)
        ]
        self._misfits = misfits

    def of(self, data: dict[str, Any]) -> Row:
        cells: Row = []
        for name, parents, last, accepted in self._leaves:
            inner: Any = data
            for parent in parents:
                inner = inner.get(parent) if type(inner) is dict else None
            value = inner.get(last) if type(inner) is dict else None
            if value is not None:
                if accepted is None:
                    value = _encode(value)
                # type() and not isinstance(), because True is an int
                elif type(value) not in accepted:
                    value = self._as_text(name, value, accepted)
            cells.append(value)
        return cells

    def _as_text(self, name: str, value: Any, accepted: tuple[type, ...]) -> str | None:
        """Return a number in a column of text: a column of an own table may change its type."""
        if str in accepted and type(value) in _ACCEPTED["number"]:
            return repr(value)
        self._misfits[name] += 1
        return None


class _Wide:
    """One row for each gene."""

    def __init__(self, order: Order, misfits: Counter[str]) -> None:
        self._width = len(order.table.columns)
        names = [column.name for column in order.table.columns]
        self._sources = {
            source.source: (
                source.first,
                _Cells(source.leaves, names[source.first + 3 :][: len(source.leaves)], misfits),
            )
            for source in order.sources
        }

    def rows(self, batch: Batch) -> Iterator[Row]:
        genes, answers = batch
        found = by_gene(answers)
        for gene_id, *first_cells in genes:
            row: Row = [*first_cells, *[None] * (self._width - len(first_cells))]
            for _, source, state, release, fetched_at, text in found.get(gene_id, ()):
                first, cells = self._sources[source]
                row[first : first + 3] = state, release, fetched_at
                if text is not None:
                    values = cells.of(_decode(text))
                    row[first + 3 : first + 3 + len(values)] = values
            yield row


class _Long:
    """One row for each gene and entry of a list or a map. A gene without entries has no row."""

    def __init__(self, order: Order, misfits: Counter[str]) -> None:
        assert order.long is not None
        self._long = order.long
        names = [column.name for column in order.table.columns]
        self._cells = _Cells(order.long.leaves, names[-len(order.long.leaves) :], misfits)

    def rows(self, batch: Batch) -> Iterator[Row]:
        genes, answers = batch
        found = by_gene(answers)
        for gene_id, *first_cells in genes:
            for _, _, _, release, fetched_at, text in found.get(gene_id, ()):
                if text is None:
                    continue
                for entry in self._entries(_decode(text)):
                    yield [*first_cells, release, fetched_at, *self._cells.of(entry)]

    def _entries(self, data: Any) -> Iterator[dict[str, Any]]:
        for name in self._long.path:
            data = data.get(name) if type(data) is dict else None
        match self._long.entries:
            case "keys" if type(data) is dict:
                yield from ({"key": key, "value": value} for key, value in sorted(data.items()))
            case "values" if type(data) is list:
                yield from ({"value": value} for value in data)
            case "objects" if type(data) is list:
                yield from (entry for entry in data if type(entry) is dict)
