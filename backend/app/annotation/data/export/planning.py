"""Validates a request for an export and plans the export."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.citation import citation
from app.annotation.data.conditions import parse_conditions
from app.annotation.data.export.columns import (
    GENE_COLUMNS,
    About,
    columns_of,
    dictionary,
    long_columns,
    own_table,
)
from app.annotation.data.export.formats import FORMATS, Format
from app.annotation.data.export.formats.sheet import MAX_ROWS
from app.annotation.data.export.order import LongForm, Order, Query, SourceCells, Table
from app.annotation.data.field_names import Known, find_field, find_fields
from app.annotation.data.fields import Field, all_fields
from app.annotation.data.gene_filter import Filter, matching
from app.annotation.data.gene_order import GeneOrder, directed, parse_order, with_keys
from app.annotation.data.genes import genes_at
from app.annotation.data.lists import list_members
from app.annotation.data.manifest import Manifest, manifest_of
from app.annotation.data.moments import Moment, find_moment
from app.annotation.data.selection import require_storable
from app.annotation.data.versions import answers_at
from app.annotation.own_tables.store import all_columns
from app.core.errors import NotFound, UserError, WrongUse
from app.core.text.nearest import did_you_mean
from app.core.text.words import some

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]

MAX_RELEASES = 5
"""Maximum number of releases of a source named in the dictionary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """A request for an export. None means all, or now.

    Attributes:
        format: the name of a format.
        sources: the names of the sources.
        fields: the names of the fields, structures or sources to export.
        genes: the name of a list of genes.
        prefix: the prefix of the genes' symbols.
        where: the conditions, all of which a gene must satisfy.
        order: the order of the genes; see `gene_order.parse_order`.
        as_of: a day or a time.
        snapshot: the name of a snapshot.
        long: the name of a list or map whose entries become rows.
    """

    format: str = "tsv"
    sources: Sequence[str] | None = None
    fields: Sequence[str] | None = None
    genes: str | None = None
    prefix: str | None = None
    where: Sequence[str] = ()
    order: str = "import"
    as_of: str | None = None
    snapshot: str | None = None
    long: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A validated export.

    Attributes:
        table: the columns and the format.
        manifest: the manifest of the moment, without the sources that are not exported.
        total: the number of genes.
        name: a suitable file name.
    """

    table: Table
    manifest: Manifest
    total: int
    name: str
    _genes: Query
    _answers: Query
    _sources: list[SourceCells]
    _long: LongForm | None

    def order(self, *, dsn: str, snapshot: str, folder: str, gzip: bool = False) -> Order:
        """Return the order for the child process; see :class:`~.order.Order`."""
        return Order(
            dsn,
            snapshot,
            self._genes,
            self._answers,
            self.table,
            self._sources,
            self._long,
            folder,
            gzip,
        )


def format_of(name: str) -> Format:
    """Return a format.

    Raises:
        WrongUse: there is no such format.
        UserError: a package that the format needs is not installed.
    """
    if name not in FORMATS:
        raise WrongUse(
            f"there is no format {name[:80]!r}{did_you_mean(name, FORMATS)}",
            allowed=", ".join(FORMATS),
        )
    found = FORMATS[name]
    if found.library is not None and find_spec(found.library) is None:
        raise UserError(
            f"the format {name} needs {found.library}, which is not installed",
            allowed=", ".join(
                format_.name for format_ in FORMATS.values() if format_.library is None
            ),
            remedy="install the packages of requirements/base.txt; in a checkout: make",
        )
    return found


async def plan(connection: AsyncConnection, request: ExportRequest) -> Plan:
    """Validate a request and plan the export.

    Args:
        connection: the connection of the transaction whose snapshot is exported.
        request: the request.

    Raises:
        WrongUse: a format, source, field, list, order, snapshot or time does not exist, a condition
            is not allowed, or the rows do not fit into a workbook.
        UserError: a package that the format needs is not installed.
    """
    found = format_of(request.format)
    if request.prefix is not None:
        require_storable(request.prefix)
    try:
        moment = await find_moment(connection, as_of=request.as_of, snapshot=request.snapshot)
        list_id = None if request.genes is None else await list_members(connection, request.genes)
    except NotFound as error:
        # a missing object is a wrong parameter here, not a missing page
        raise WrongUse(error.found, allowed=error.allowed, remedy=error.remedy) from error
    manifest = await manifest_of(connection, moment)
    known = await _with_own_tables(connection, await all_fields(connection), manifest)
    chosen = _chosen(request, known)
    conditions = tuple(parse_conditions(request.where, known))
    which = Filter(prefix=request.prefix, list_id=list_id, conditions=conditions)
    genes = _genes(moment, which, parse_order(request.order, known))
    columns = list(GENE_COLUMNS)
    sources: list[SourceCells] = []
    long: LongForm | None = None
    for source, fields in chosen.items():
        about = _about(source, manifest)
        if request.long is not None:
            more, long = long_columns(about, fields[0])
        else:
            more, cells = columns_of(about, fields, len(columns))
            sources.append(cells)
        columns += more
    if long is not None and found.name == "xlsx":
        await _require_sheet(connection, moment, next(iter(chosen)), long, genes)
    total = await connection.execute(select(func.count()).select_from(genes.subquery()))
    exported = {name: about for name, about in manifest.sources.items() if name in chosen}
    manifest = manifest.model_copy(update={"sources": exported})
    table = Table(
        found.name,
        dictionary(columns, workbook=found.name == "xlsx"),
        manifest.model_dump_json(indent=2),
        citation(manifest),
    )
    name = f"kidney-genetics-{moment.snapshot or format(manifest.at, '%Y-%m-%d')}"
    return Plan(
        table,
        manifest,
        total.scalar_one(),
        f"{name}.{found.name}",
        _query(genes),
        _query(_answers(moment, list(chosen), found=long is not None)),
        sources,
        long,
    )


async def _with_own_tables(connection: AsyncConnection, known: Known, manifest: Manifest) -> Known:
    """Return the fields, including those of former files and of removed own tables."""
    columns = await all_columns(connection)
    stored = {*known, *manifest.sources}
    own = {source: own_table(source, columns[source]) for source in columns if source in stored}
    return {**known, **own}


def _chosen(request: ExportRequest, known: Known) -> dict[str, list[Field]]:
    """Return the exported fields by source.

    Raises:
        WrongUse: a source or field does not exist, or they cannot be combined.
    """
    if request.long is not None:
        return _chosen_long(request, known)
    for what, names in (("sources", request.sources), ("fields", request.fields)):
        if names is not None and not names:
            raise WrongUse(
                f"{what} names nothing", allowed=f"names of {what}, or no {what} for all"
            )
    for source in request.sources or ():
        if source not in known:
            raise WrongUse(
                f"there is no source {source[:80]!r}{did_you_mean(source, known)}",
                allowed=", ".join(known),
            )
    if request.fields is None:
        chosen = known if request.sources is None else request.sources
        return {source: list(known[source].values()) for source in known if source in chosen}
    by_source: dict[str, list[Field]] = {source: [] for source in request.sources or ()}
    for field in find_fields(request.fields, known):
        if request.sources is not None and field.source not in by_source:
            raise WrongUse(
                f"the field {field.name} does not belong to the sources"
                f" {', '.join(request.sources)}",
                allowed="fields of these sources, or no sources, because the fields name theirs",
            )
        by_source.setdefault(field.source, []).append(field)
    return {source: by_source[source] for source in known if source in by_source}


def _chosen_long(request: ExportRequest, known: Known) -> dict[str, list[Field]]:
    assert request.long is not None
    if request.sources is not None or request.fields is not None:
        raise WrongUse(
            "the long form cannot be combined with sources or fields",
            allowed="the long form alone, with a list of genes, conditions and a moment",
        )
    field = find_field(request.long, known)
    if field.kind not in {"list", "map"}:
        others = (
            each.name for each in known[field.source].values() if each.kind in {"list", "map"}
        )
        raise WrongUse(
            f"the field {field.name} has one value per gene, so it has no long form",
            allowed=", ".join(others) or f"{field.source} has no list and no map",
        )
    return {field.source: [field]}


def _about(source: str, manifest: Manifest) -> About:
    found = manifest.sources.get(source)
    if found is None:
        return About(source)
    names = list(dict.fromkeys(release.release or "not stated" for release in found.releases))
    return About(source, found.licence, found.attribution, some(names, MAX_RELEASES) or None)


def _genes(moment: Moment, which: Filter, order: GeneOrder) -> Select[Any]:
    genes = genes_at(moment)
    rows, keys = with_keys(genes, moment, order)
    return (
        select(
            genes.c.id,
            genes.c.hgnc_id,
            genes.c.symbol,
            genes.c.ensembl_gene_id,
            genes.c.entrez_id,
            genes.c.withdrawn_at.is_not(None).label("withdrawn"),
        )
        .select_from(rows)
        .where(*matching(genes, moment, which))
        .order_by(*directed(order, keys))
    )


def _answers(moment: Moment, sources: Iterable[str], *, found: bool) -> Select[Any]:
    answers = answers_at(moment)
    statement = select(
        answers.c.gene_id,
        answers.c.source,
        answers.c.state,
        answers.c.release,
        answers.c.fetched_at,
        cast(answers.c.data, Text),
    ).where(
        answers.c.gene_id == any_(bindparam("gene_ids", [], ARRAY(BigInteger))),
        answers.c.source == any_(bindparam("sources", list(sources), ARRAY(Text))),
    )
    return statement.where(answers.c.state == "found") if found else statement


async def _require_sheet(
    connection: AsyncConnection, moment: Moment, source: str, long: LongForm, chosen: Select[Any]
) -> None:
    """Check that the rows of a long form fit into a sheet.

    Raises:
        WrongUse: there are too many rows.
    """
    answers, genes = answers_at(moment), chosen.subquery()
    value = answers.c.data[list(long.path)]
    keys = select(func.count()).select_from(func.jsonb_object_keys(value).table_valued("key"))
    entries = (
        keys.correlate(answers).scalar_subquery()
        if long.entries == "keys"
        else func.jsonb_array_length(value)
    )
    kind = "object" if long.entries == "keys" else "array"
    counted = await connection.execute(
        select(func.coalesce(func.sum(entries), 0))
        .select_from(answers.join(genes, genes.c.id == answers.c.gene_id))
        .where(
            answers.c.source == source,
            answers.c.state == "found",
            func.jsonb_typeof(value) == kind,
        )
    )
    rows = int(counted.scalar_one())
    if rows >= MAX_ROWS:
        raise WrongUse(
            f"the long form has {rows:,} rows, but a sheet of a workbook holds {MAX_ROWS:,} with"
            " the header",
            allowed="fewer genes, by a list or a condition, or another format",
            remedy="export it as parquet or tsv",
        )


def _query(statement: Select[Any]) -> Query:
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return Query(str(compiled), dict(compiled.params))
