"""The table of genes. The URL contains its columns, filters and order."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.conditions import FORM, MAX_CONDITIONS
from app.annotation.data.export.formats import FORMATS
from app.annotation.data.export.planning import format_of
from app.annotation.data.field_names import Known, find_fields
from app.annotation.data.fields import all_fields, default_fields
from app.annotation.data.gene_filter import STATES, find_filter
from app.annotation.data.gene_order import find_order
from app.annotation.data.gene_pages import gene_page
from app.annotation.data.lists import list_names
from app.annotation.data.moments import snapshot_names
from app.annotation.data.selection import find_selection
from app.annotation.own_tables.registry import all_sources
from app.annotation.sources.declaration import SourceInfo
from app.api.export import exported
from app.api.export_slots import RETRY_AFTER, TooManyExports
from app.api.parameters import given_names
from app.api.services import Services, ServicesDep
from app.core.errors import NotFound, UserError, WrongUse
from app.db.bounds import MAX_ID
from app.web.gene_cells import Row, row
from app.web.gene_choice import Choice, Typed
from app.web.gene_columns import Columns, by_source, known_names, offered
from app.web.rendering import page, redirect, show_problem

router = APIRouter()

PAGE_SIZE = 50
"""The number of genes on a page."""

MAX_COLUMNS = 60
"""Maximum number of columns in a browser. Exports have no limit."""


class TypedPage(Typed):
    """A page of the table."""

    after: Annotated[int | None, Field(ge=0, le=MAX_ID)] = None


class TypedExport(Typed):
    """A file of the table."""

    format: Annotated[str, Field(max_length=20)] = next(iter(FORMATS))


@dataclass(frozen=True, slots=True)
class FormOptions:
    """The options of the form.

    Attributes:
        defaults: the names of the default columns.
    """

    known: Known
    sources: Mapping[str, SourceInfo]
    lists: Sequence[str]
    snapshots: Sequence[str]
    defaults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A page of the table.

    Attributes:
        choice: the choice, with its columns.
        columns: the columns by source.
        rows: the genes.
        next_after: the key of the next page; None if there is no next page.
        total: the number of genes on all pages; None if it was not counted.
    """

    choice: Choice
    columns: Sequence[Columns]
    rows: Sequence[Row]
    next_after: int | None
    total: int | None


@router.get("/genes")
async def show_genes(
    request: Request, services: ServicesDep, typed: Annotated[TypedPage, Query()]
) -> Response:
    """Show the matching genes with the chosen columns."""
    result: Table | UserError
    async with services.reads.connect() as connection:
        options = FormOptions(
            await all_fields(connection),
            await all_sources(connection),
            await list_names(connection),
            await snapshot_names(connection),
            _default_names(services),
        )
        try:
            choice = typed.choice
            if not typed.is_short:
                return redirect(request, f"/genes{choice.query()}")
            result = await read_table(connection, choice, options, typed.after)
        except (WrongUse, NotFound) as problem:
            result = problem
    # in a thread, because a table with many columns takes long to render
    return await asyncio.to_thread(_show, request, typed, options, result)


@router.get("/genes/export")
async def export_genes(
    request: Request, services: ServicesDep, typed: Annotated[TypedExport, Query()]
) -> Response:
    """Send the whole table as a file, like the API."""
    choice = typed.choice
    if not choice.fields:
        choice = replace(choice, fields=_default_names(services))
    try:
        return await exported(
            request, services, choice.export_request(format_of(typed.format).name)
        )
    except TooManyExports:
        refused = show_problem(
            request,
            HTTPStatus.SERVICE_UNAVAILABLE,
            "too many exports at a time",
            remedy="nothing is lost; try again when one of them has ended",
        )
        refused.headers["Retry-After"] = str(RETRY_AFTER)
        return refused


async def read_table(
    connection: AsyncConnection, choice: Choice, options: FormOptions, after: int | None
) -> Table:
    """Read a page of the table.

    Raises:
        WrongUse: a part of the choice is not valid.
        NotFound: the list or snapshot does not exist.
    """
    names = choice.fields or options.defaults
    fields = find_fields(names, options.known)
    if len(fields) > MAX_COLUMNS:
        raise WrongUse(
            f"{len(fields):,} columns",
            allowed=f"at most {MAX_COLUMNS} in a browser; an export has as many as you want",
        )
    selection = await find_selection(
        connection,
        fields=[field.name for field in fields],
        as_of=choice.as_of or None,
        snapshot=choice.snapshot or None,
    )
    which = await find_filter(
        connection,
        prefix=choice.prefix or None,
        list_name=choice.genes or None,
        where=choice.where,
    )
    order = await find_order(connection, choice.order)
    # without columns, select no source instead of all
    selection = replace(selection, sources=selection.sources or ())
    found = await gene_page(
        connection,
        selection,
        which,
        order=order,
        after=after,
        limit=PAGE_SIZE,
        counted=after is None,
    )
    columns = by_source(fields, options.known)
    return Table(
        replace(choice, fields=names),
        columns,
        [row(gene, columns) for gene in found.genes],
        found.next_after,
        found.total,
    )


def _default_names(services: Services) -> tuple[str, ...]:
    return tuple(field.name for field in default_fields(services.enabled_sources))


def _show(
    request: Request, typed: TypedPage, options: FormOptions, result: Table | UserError
) -> Response:
    table = result if isinstance(result, Table) else None
    problem = result if isinstance(result, UserError) else None
    names = given_names(typed.fields) or options.defaults
    chosen, mistaken = known_names(names, options.known)
    sources = offered(options.known, options.sources, {*chosen})
    ticked = {
        each.column.field.name
        for source in sources
        for offer in source.offered
        for each in (offer, *offer.keys)
    }
    return page(
        request,
        "genes.html",
        200 if problem is None else HTTPStatus.UNPROCESSABLE_ENTITY,
        typed=typed,
        state=typed.shown_state,
        table=table,
        problem=problem,
        options=options,
        sources=sources,
        further=[*mistaken, *(name for name in chosen if name not in ticked)],
        states=STATES,
        formats=FORMATS,
        form_of_conditions=FORM,
        most_conditions=MAX_CONDITIONS,
        limit=PAGE_SIZE,
    )
