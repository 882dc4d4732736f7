"""Describes the history of a gene's answers in words."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
from msgspec import Raw, UnsetType
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.diff import Shape, diff
from app.annotation.data.fields import Field
from app.annotation.data.gene_history import gene_history, key_of, latest_versions
from app.annotation.data.selection import Selection
from app.annotation.data.shapes import Version
from app.annotation.data.wording import Words, describe_answer

Fields = Mapping[str, Mapping[str, Field]]
"""The fields by source and name; see `fields.all_fields`."""


class VersionChange(msgspec.Struct, frozen=True):
    """A version of an answer, and what it changed.

    Attributes:
        source: the name of the source.
        at: when it became valid.
        release: the last release that gave it.
        run_id: the run that stored it; None for a rollback, or if the run is not known.
        text: the difference from the previous version, in words.
        key: the key to request the page after this version.
    """

    source: str
    at: datetime
    release: str | None
    run_id: int | None
    text: str
    key: str


class Latest(msgspec.Struct, frozen=True):
    """The latest versions of a source's answer.

    Attributes:
        versions: the total number of versions.
        changes: the latest versions, the newest first.
    """

    versions: int
    changes: Sequence[VersionChange]


async def latest_changes(
    connection: AsyncConnection, gene_id: int, selection: Selection, fields: Fields, *, each: int
) -> dict[str, Latest]:
    """Return the latest changes of a gene's answers, by source.

    Args:
        connection: the database connection.
        gene_id: the id of the gene.
        selection: the selection; see `gene_history.gene_history`.
        fields: the fields of all sources.
        each: the maximum number of versions for each source.
    """
    found = await latest_versions(connection, gene_id, selection, each=each + 1)

    def describe() -> dict[str, Latest]:
        return {
            source: Latest(number, [*_describe(versions, fields.get(source, {}))][:each])
            for source, (number, versions) in found.items()
        }

    # comparing large answers takes long and must not block the event loop
    return await asyncio.to_thread(describe)


async def changes_page(
    connection: AsyncConnection,
    gene_id: int,
    selection: Selection,
    fields: Fields,
    *,
    after: str | None,
    limit: int,
) -> tuple[list[VersionChange], str | None]:
    """Return a page of a gene's versions in words, by source, the newest first.

    Args:
        connection: the database connection.
        gene_id: the id of the gene.
        selection: the selection; see `gene_history.gene_history`.
        fields: the fields of all sources.
        after: the key of the last version of the previous page.
        limit: the maximum number of versions.

    Raises:
        WrongUse: ``after`` is not a key of a page.
    """
    # one more version is read to compare the last one of the page with
    versions, _ = await gene_history(connection, gene_id, selection, after=after, limit=limit + 1)

    def describe() -> list[VersionChange]:
        by_source = groupby(versions, key=lambda version: version.source)
        return [
            each
            for source, of_source in by_source
            for each in _describe([*of_source], fields.get(source, {}))
        ]

    changes = await asyncio.to_thread(describe)
    return changes[:limit], changes[limit - 1].key if len(changes) > limit else None


def _describe(versions: Sequence[Version], fields: Mapping[str, Field]) -> Iterator[VersionChange]:
    """Describe the changes of each version of a source, the newest first."""
    shape, words = Shape.of(fields.values()), Words(fields.values())
    data = [_decoded(version.data) for version in versions]
    for place, version in enumerate(versions):
        text = f"first answer, {version.state}"
        if place + 1 < len(versions):
            before = versions[place + 1]
            changes = diff(shape, data[place + 1], data[place])
            text = describe_answer(
                words,
                # changes of moving fields are described only if nothing else changed
                [change for change in changes if not change.moves] or changes,
                former_state=before.state,
                state=version.state,
                rollback_id=before.replaced_by_rollback_id,
            )
        yield VersionChange(
            version.source,
            msgspec.json.decode(version.valid_from, type=datetime),
            version.release,
            version.run_id,
            text,
            key_of(version),
        )


def _decoded(data: Raw | UnsetType | None) -> dict[str, Any] | None:
    if data is None or isinstance(data, UnsetType):
        return None
    found: dict[str, Any] = msgspec.json.decode(data)
    return found
