"""The page of a gene: its identifiers, the sources' answers, and their history."""

import asyncio
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.fields import all_fields
from app.annotation.data.gene_changes import Fields, Latest, changes_page, latest_changes
from app.annotation.data.gene_events import GeneEvent, gene_events
from app.annotation.data.lists import ListName, lists_with
from app.annotation.data.manifest import in_order
from app.annotation.data.moments import snapshot_names
from app.annotation.data.one_gene import (
    IDENTIFIERS,
    AmbiguousName,
    NoSuchGene,
    find_gene,
    kind_of,
    read_gene,
)
from app.annotation.data.selection import Selection
from app.annotation.data.shapes import Gene
from app.annotation.genes.resolve import NamedGene, Resolution
from app.annotation.genes.words import KINDS
from app.annotation.own_tables.registry import all_sources
from app.annotation.sources.declaration import SourceInfo
from app.annotation.sources.links import address_of
from app.api import parameters
from app.api.services import ServicesDep
from app.web.cards.card import Card, card, head
from app.web.cards.values import Value
from app.web.rendering import page

router = APIRouter()

LATEST_CHANGES = 3
"""The number of changes on a card."""

PAGE_SIZE = 50
"""The number of changes on a page of the history."""

_OWN_NAMES = frozenset({"symbol", "withdrawn symbol", "hgnc_id"})

Name = Annotated[str, Path(max_length=200)]

_Text = Annotated[str, Field(max_length=200)]


class GeneParameters(BaseModel):
    """The selected answers, with the parameters of the API. Empty fields are ignored."""

    as_of: _Text = ""
    snapshot: _Text = ""
    sources: list[_Text] = []

    @property
    def given(self) -> dict[str, str]:
        """The nonempty fields."""
        fields = {
            "as_of": self.as_of,
            "snapshot": self.snapshot,
            "sources": ",".join(parameters.given_names(self.sources)),
        }
        return {name: value for name, value in fields.items() if value}

    @property
    def query(self) -> str:
        """The query string of a URL; empty without parameters."""
        return f"?{urlencode(self.given)}" if self.given else ""

    def query_of(self, source: str) -> str:
        """Return the query string for one source."""
        return "?" + urlencode(self.given | {"sources": source})

    @property
    def options(self) -> str:
        """The equivalent options of a command."""
        given = self.given.items()
        return "".join(f" --{name.replace('_', '-')} {shlex.quote(each)}" for name, each in given)

    async def find(self, connection: AsyncConnection) -> Selection:
        """Return the selection.

        Raises:
            WrongUse: a source, time or snapshot does not exist.
        """
        shown = parameters.Shown(self.sources, [], self.as_of or None, self.snapshot or None)
        return await shown.find(connection)


class HistoryParameters(GeneParameters):
    """A page of the history."""

    after: _Text = ""


@dataclass(frozen=True, slots=True)
class _Read:
    """The data of the page besides the gene."""

    parameters: GeneParameters
    enabled: Collection[str]
    selection: Selection
    sources: Mapping[str, SourceInfo]
    fields: Fields
    latest: Mapping[str, Latest]
    events: Sequence[GeneEvent]
    lists: Sequence[ListName]
    snapshots: Sequence[str]


@router.get("/genes/{name}")
async def show_gene(
    request: Request,
    name: Name,
    services: ServicesDep,
    parameters: Annotated[GeneParameters, Query()],
) -> Response:
    """Show a gene by any of its names."""
    async with services.reads.connect() as connection:
        selection = await parameters.find(connection)
        try:
            found, gene = await read_gene(connection, name, selection)
        except (AmbiguousName, NoSuchGene) as problem:
            return _names(request, problem)
        fields = await all_fields(connection)
        read = _Read(
            parameters,
            services.enabled_sources,
            selection,
            await all_sources(connection),
            fields,
            await latest_changes(connection, gene.id, selection, fields, each=LATEST_CHANGES),
            await gene_events(connection, gene.id, selection.moment),
            await lists_with(connection, gene.id),
            await snapshot_names(connection),
        )
    # in a thread, because large answers take long to render
    return await asyncio.to_thread(_show, request, found, gene, read)


@router.get("/genes/{name}/history")
async def show_history(
    request: Request,
    name: Name,
    services: ServicesDep,
    parameters: Annotated[HistoryParameters, Query()],
) -> Response:
    """Show the changes of a gene's answers, by source, the latest first."""
    async with services.reads.connect() as connection:
        selection = await parameters.find(connection)
        try:
            _, gene, gene_id = await find_gene(connection, name)
        except (AmbiguousName, NoSuchGene) as problem:
            return _names(request, problem)
        fields = await all_fields(connection)
        changes, after = await changes_page(
            connection, gene_id, selection, fields, after=parameters.after or None, limit=PAGE_SIZE
        )
    older = urlencode(parameters.given | {"after": after}) if after else None
    return page(
        request, "gene_history.html", gene=gene, changes=changes, older=older, parameters=parameters
    )


def _show(request: Request, found: Resolution, gene: Gene, read: _Read) -> Response:
    named: dict[str, str | None] = {"symbol": gene.symbol}
    named |= {column: getattr(gene, column) for column in IDENTIFIERS}
    sources = read.selection.sources or (*read.sources, *gene.annotations)
    cards = [_card(source, gene, read, named) for source in in_order({*sources})]
    answers = {card.source: card.answer for card in cards if card.answer is not None}
    return page(
        request,
        "gene.html",
        gene=gene,
        withdrawn_at=gene.withdrawn_at and msgspec.json.decode(gene.withdrawn_at, type=datetime),
        successor=gene.successor and NamedGene.model_validate_json(bytes(gene.successor)),
        identifiers=_identifiers(named),
        # only for other names; the heading already shows the symbol and the identifier
        found_by=None if found.resolved_by in _OWN_NAMES else (found.name, kind_of(found)),
        head=head(answers),
        cards=cards,
        moment=read.selection.moment,
        read=read,
        parameters=read.parameters,
    )


def _card(source: str, gene: Gene, read: _Read, named: Mapping[str, str | None]) -> Card:
    info = read.sources.get(source)
    return card(
        source,
        gene.annotations.get(source),
        info=info,
        fields=read.fields.get(source, {}),
        gene=named,
        history=read.latest.get(source),
        # own tables cannot be disabled
        enabled=source in read.enabled or info is None or not info.hosts,
    )


def _identifiers(named: Mapping[str, str | None]) -> list[tuple[str, Value]]:
    return [
        (KINDS[column], Value(value, href=address_of(value, column)))
        for column in IDENTIFIERS
        if (value := named[column]) is not None
    ]


def _names(request: Request, problem: AmbiguousName | NoSuchGene) -> Response:
    """Return a page about a name of no gene or of several, with the candidates."""
    status = HTTPStatus.NOT_FOUND if isinstance(problem, NoSuchGene) else HTTPStatus.CONFLICT
    candidates = problem.candidates if isinstance(problem, AmbiguousName) else ()
    near = problem.near if isinstance(problem, NoSuchGene) else ()
    return page(
        request, "gene_names.html", status, problem=problem, candidates=candidates, near=near
    )
