"""The page of changes between two moments or by a run."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data import changes
from app.annotation.data.changes import (
    ORDERS,
    Change,
    ChangeRequest,
    ChangeSelection,
    Row,
    side_by_side,
)
from app.annotation.data.lists import list_names
from app.annotation.data.moments import snapshot_names
from app.annotation.own_tables.registry import all_sources
from app.api.changes import stream_changes
from app.api.services import ServicesDep
from app.api.streams import while_connected
from app.core.errors import WrongUse
from app.db.bounds import MAX_ID
from app.web.rendering import page

router = APIRouter()

PAGE_SIZE = 50
"""The number of changes on a page."""

MAX_ROWS = 12
"""Maximum number of differences shown for one answer."""

MAX_ELEMENTS = 10
"""Maximum number of added, and of removed, elements shown for one list."""

_Text = Annotated[str, Field(max_length=200)]


class Search(BaseModel):
    """The fields of the page's form, with the names of the API. Empty fields are ignored."""

    model_config = ConfigDict(populate_by_name=True)

    since: _Text = ""
    from_: _Text = Field("", alias="from")
    to: _Text = ""
    run: _Text = ""
    source: _Text = ""
    gene: _Text = ""
    list: _Text = ""
    moving: _Text = ""
    order: _Text = ""

    @property
    def given(self) -> dict[str, str]:
        """The nonempty fields, by their names in the URL."""
        return {
            (field.alias or name): value
            for name, field in Search.model_fields.items()
            if (value := getattr(self, name).strip())
        }

    @property
    def command(self) -> str:
        """The equivalent shell command."""
        options = [
            f" --{name}" if name == "moving" else f" --{name} {shlex.quote(value)}"
            for name, value in self.given.items()
        ]
        return f"just changes{''.join(options)}"

    def query(self, **more: str) -> str:
        """Return the query string of a URL, with more parameters."""
        return urlencode(self.given | {name: value for name, value in more.items() if value})

    def change_request(self, after: str = "") -> ChangeRequest:
        """Return the request, as the API reads it.

        Raises:
            WrongUse: the run is not a number.
        """
        given: dict[str, Any] = self.given
        run = given.get("run")
        if run is not None and not (run.isascii() and run.isdigit() and int(run) <= MAX_ID):
            raise WrongUse(f"run {run[:80]!r}", allowed="the number of a run")
        return ChangeRequest(
            since=given.get("since"),
            from_=given.get("from"),
            to=given.get("to"),
            run=None if run is None else int(run),
            source=given.get("source"),
            gene=given.get("gene"),
            list=given.get("list"),
            moving="moving" in given,
            order=given.get("order", ORDERS[0]),
            after=after or None,
        )


class PageOfSearch(Search):
    """A page of the changes."""

    after: _Text = ""
    counts: bool = False
    """Whether the page shows the numbers by source. Counting takes seconds if much changed."""


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A change as the page shows it.

    Attributes:
        words: the text of `just changes`, without the leading names.
        rows: the differences, at most :data:`MAX_ROWS`.
        more: the number of omitted rows.
    """

    change: Change
    words: str
    rows: Sequence[Row]
    more: int


@dataclass(frozen=True, slots=True)
class Group:
    """Changes of one gene, or of one source.

    Attributes:
        source: the source; None for events of genes, and if the changes are grouped by gene.
    """

    symbol: str
    hgnc_id: str
    source: str | None
    shown: Sequence[ShownChange]


@router.get("/changes")
async def show_changes(
    request: Request, services: ServicesDep, search: Annotated[PageOfSearch, Query()]
) -> Response:
    """Show changes, with the former and the new values side by side."""
    groups: Sequence[Group] = []
    selection, following, counted, problem = None, None, None, None
    async with changes.reading(services.db) as connection:
        choices = await _choices(connection)
        try:
            selection = await changes.parse_request(connection, search.change_request(search.after))
        except WrongUse as error:
            # keep the form, so that the user can correct it
            problem = error
        else:
            reading = changes.page(connection, selection, PAGE_SIZE)
            found, last = await while_connected(request, reading)
            groups = [*_groups(found, selection, by_source=search.order == "source")]
            following = search.query(after=str(last)) if last else None
            if search.counts:
                with services.streams:
                    counted = await while_connected(request, _count(connection, selection))
    return page(
        request,
        "changes.html",
        422 if problem else 200,
        search=search,
        groups=groups,
        period=selection and selection.period,
        following=following,
        counted=counted,
        problem=problem,
        most=MAX_ELEMENTS,
        here_as_json=search.query(limit=str(PAGE_SIZE), after=search.after),
        **choices,
    )


@router.get("/changes/counts")
async def show_counts(
    request: Request, services: ServicesDep, search: Annotated[Search, Query()]
) -> Response:
    """Show the numbers by source, unless counting takes long. The page loads this part last."""
    counted = None
    with services.streams:
        async with changes.reading(services.db) as connection:
            selection = await changes.parse_request(connection, search.change_request())
            if not await changes.are_many(connection, selection):
                counted = await while_connected(request, _count(connection, selection))
    return page(request, "changes_counts.html", search=search, counted=counted)


@router.get("/changes/table.tsv")
async def download(
    request: Request, services: ServicesDep, search: Annotated[Search, Query()]
) -> Response:
    """Send all selected changes as a table with a row for each changed field."""
    answer = await stream_changes(request, services, search.change_request(), "tsv")
    answer.headers["Content-Disposition"] = 'attachment; filename="changes.tsv"'
    return answer


async def _count(
    connection: AsyncConnection, selection: ChangeSelection
) -> Sequence[tuple[str | None, str]]:
    """Return the sources with their numbers in words."""
    titles = {name: info.title for name, info in (await all_sources(connection)).items()}
    found = await changes.count(connection, selection)
    return [
        (
            source.source,
            changes.in_a_sentence(
                titles.get(source.source or "", source.source or "Genes"), source
            ),
        )
        for source in found.sources
    ]


async def _choices(connection: AsyncConnection) -> Mapping[str, Sequence[str]]:
    return {
        "sources": [*await all_sources(connection)],
        "lists": await list_names(connection),
        "snapshots": await snapshot_names(connection),
    }


def _groups(
    found: Sequence[Change], selection: ChangeSelection, *, by_source: bool
) -> Iterator[Group]:
    def key(change: Change) -> str | None:
        return change.source if by_source else change.hgnc_id

    for _, together in groupby(found, key):
        listed = [*together]
        first = listed[0]
        source = first.source if by_source else None
        shown = [_shown(each, selection) for each in listed]
        yield Group(first.symbol, first.hgnc_id, source, shown)


def _shown(change: Change, selection: ChangeSelection) -> ShownChange:
    names = f"{change.symbol} {change.source or 'gene'}: "
    rows = side_by_side(change, selection.fields.get(change.source or "", {}))
    words = change.text.removeprefix(names)
    return ShownChange(change, words, rows[:MAX_ROWS], max(0, len(rows) - MAX_ROWS))
