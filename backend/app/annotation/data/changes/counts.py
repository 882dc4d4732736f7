"""Counts changes by source: the genes with a changed answer, and what they gained."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.changes.request import ChangeSelection
from app.annotation.data.changes.statement import number_of_rows
from app.annotation.data.changes.stream import Listed, stream
from app.annotation.data.changes.views import FieldDifference
from app.annotation.data.lists import in_list
from app.core.text.field_docs import View
from app.db.tables import annotations

MANY_CHANGES = 40_000
"""The number of changed answers that is considered many. Comparing this many takes about 3 seconds
of processor time."""


class SourceCount(View):
    """The numbers of changes of one source."""

    source: str | None
    """The source; null for events of the genes themselves."""
    genes: int | None
    """The number of requested genes with an answer of the source now; null for events of genes."""
    changed: int
    """The number of genes whose answer changed."""
    first_answers: int
    """The number of genes with a first answer."""
    events: int
    """The number of events of genes, such as new symbols."""
    gained: dict[str, int]
    """The number of genes by gain, in words, such as `gained a pathogenic variant`."""


class ChangeCounts(View):
    """The changes by source, sorted by name. Sources without changes are omitted."""

    sources: list[SourceCount]


@dataclass(slots=True)
class Tally:
    """The numbers of one source; see :class:`SourceCount`."""

    kinds: Counter[str] = field(default_factory=Counter)
    gained: Counter[str] = field(default_factory=Counter)


async def tally(connection: AsyncConnection, selection: ChangeSelection) -> dict[str | None, Tally]:
    """Count the listed changes by source.

    Args:
        connection: the connection of `stream.reading`.
        selection: the parsed request.
    """
    gains = {
        name: each.gain
        for fields in selection.fields.values()
        for name, each in fields.items()
        if each.gain is not None
    }
    tallies: dict[str | None, Tally] = {}

    def add(part: list[Listed]) -> None:
        for _, change in part:
            of_source = tallies.setdefault(change.source, Tally())
            of_source.kinds[change.kind] += 1
            gained = {gains[field.field] for field in change.fields if _is_gain(field, gains)}
            of_source.gained.update(gained)

    async for _ in stream(connection, selection, add, in_words=False):
        pass
    for each in tallies.values():
        # in the order of the fields' declaration
        parts = dict.fromkeys(gains.values())
        each.gained = Counter({words: each.gained[words] for words in parts if each.gained[words]})
    return tallies


async def are_many(connection: AsyncConnection, selection: ChangeSelection) -> bool:
    """Tell whether counting would take more than a few seconds."""
    statement = number_of_rows(selection, MANY_CHANGES + 1)
    number: int = (await connection.execute(statement)).scalar_one()
    return number > MANY_CHANGES


async def count(connection: AsyncConnection, selection: ChangeSelection) -> ChangeCounts:
    """Count changes and the genes with an answer, by source; see :func:`tally`."""
    tallies = await tally(connection, selection)
    genes = await _genes(connection, selection)
    return ChangeCounts(
        sources=[
            SourceCount(
                source=source,
                genes=None if source is None else genes.get(source, 0),
                changed=each.kinds["changed"],
                first_answers=each.kinds["first answer"],
                events=each.kinds["gene"],
                gained=dict(each.gained),
            )
            for source, each in sorted(tallies.items(), key=lambda pair: pair[0] or "")
        ]
    )


async def _genes(connection: AsyncConnection, selection: ChangeSelection) -> Mapping[str, int]:
    query = select(annotations.c.source, func.count().label("genes")).group_by(annotations.c.source)
    if selection.source is not None:
        query = query.where(annotations.c.source == selection.source)
    if selection.gene_id is not None:
        query = query.where(annotations.c.gene_id == selection.gene_id)
    if selection.list_id is not None:
        query = query.where(in_list(selection.list_id, annotations.c.gene_id))
    return {row.source: row.genes for row in await connection.execute(query)}


def _is_gain(each: FieldDifference, gains: Mapping[str, str]) -> bool:
    """Tell whether a field increased: a greater number, or an additional element."""
    if each.field not in gains:
        return False
    # an absent answer counts as 0
    before = 0 if each.from_ is msgspec.UNSET else each.from_
    numbers = isinstance(each.to, int | float) and isinstance(before, int | float)
    return each.change == "added" or (numbers and each.to > before)


def in_a_sentence(title: str, found: SourceCount) -> str:
    """Describe the changes of a source in one line.

    Such as ``ClinVar: 312 of 5,000 genes changed, 41 gained a pathogenic variant``.

    Args:
        title: the title of the source.
        found: the numbers of the source.
    """
    parts: list[str] = []
    if found.events:
        parts.append(f"{found.events:,} {'event' if found.events == 1 else 'events'}")
    if found.changed:
        genes = "gene" if found.genes == 1 else "genes"
        parts.append(f"{found.changed:,} of {found.genes:,} {genes} changed")
    parts += [f"{number:,} {words}" for words, number in found.gained.items()]
    if found.first_answers:
        verb = "has its" if found.first_answers == 1 else "have their"
        parts.append(f"{found.first_answers:,} {verb} first answer")
    return f"{title}: {', '.join(parts)}"
