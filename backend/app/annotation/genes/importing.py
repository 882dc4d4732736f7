"""Imports the genes of a list, or all protein-coding genes."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.annotation.genes.columns import ReadColumn, Row, read_rows
from app.annotation.genes.files import Table, read_gene_file
from app.annotation.genes.identifiers import Identifiers, change_identifiers
from app.annotation.genes.identity import apply, lock, read_identity
from app.annotation.genes.names import GeneRow, Names, Remark, Resolved, gene_row
from app.annotation.sources.accepted_files import judge
from app.annotation.sources.answers import FileRead
from app.annotation.sources.connector import Connector
from app.annotation.sources.hgnc import (
    APPROVED,
    COMPLETE_SET,
    FILES,
    PROTEIN_CODING,
    WITHDRAWN,
    Hgnc,
    count_records,
    read_records,
    read_withdrawn,
)
from app.annotation.sources.thresholds import Thresholds
from app.annotation.upstream import BadAnswer, Download, Upstream, UpstreamUnavailable
from app.core.errors import UserError, Wait
from app.core.postgres.unavailable import is_data_error

logger = logging.getLogger(__name__)

GENES_PER_STATEMENT = 1_000
"""The number of genes in one statement."""

_KNOWN = text(
    """
    SELECT g.id, n.symbol, n.ensembl_gene_id, n.entrez_id
    FROM unnest(CAST(:hgnc_ids AS text[]), CAST(:symbols AS text[]),
        CAST(:ensembl_gene_ids AS text[]), CAST(:entrez_ids AS text[]))
      AS n (hgnc_id, symbol, ensembl_gene_id, entrez_id)
    JOIN genes g ON g.hgnc_id = n.hgnc_id
    """
)

_ADD = text(
    """
    INSERT INTO genes (hgnc_id, symbol, ensembl_gene_id, entrez_id)
    SELECT * FROM unnest(CAST(:hgnc_ids AS text[]), CAST(:symbols AS text[]),
      CAST(:ensembl_gene_ids AS text[]), CAST(:entrez_ids AS text[]))
    ON CONFLICT (hgnc_id) DO NOTHING RETURNING id
    """
)


@dataclass
class ImportReport:
    """The result of importing a gene list.

    Attributes:
        imported: the number of new genes.
        updated: the number of genes whose symbol or identifiers changed.
        unchanged: the number of genes that existed with the same values.
        duplicates: the number of rows that name the same gene as an earlier row.
        problems: the rows whose gene was not imported, with the reasons.
        notes: the rows whose gene was imported although one of their names is old or contradictory.
        columns: how each column that may name genes was read.
    """

    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    problems: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)
    columns: list[ReadColumn] = field(default_factory=list)


async def import_genes(
    what: str | Path, *, engine: AsyncEngine, connect: Connector
) -> ImportReport:
    """Import a gene list, or all protein-coding genes with ``hgnc``. The operation is idempotent.

    One transaction stores all genes, and updates the names and identity of existing genes from
    HGNC's files. A row that names no gene is reported; the other rows are imported.

    Args:
        what: the path of a file for :func:`~app.annotation.genes.files.read_gene_file`, or
            ``hgnc``.
        engine: the engine of the database.
        connect: the connector to HGNC's files, which resolve the names.

    Raises:
        WrongUse: the file cannot be read or names no gene.
        UserError: HGNC's files are unavailable or much shorter than before.
    """
    table = None if str(what) == "hgnc" else await asyncio.to_thread(read_gene_file, Path(what))
    files = connect.upstream(FILES)
    report = ImportReport()
    try:
        complete_set = await files.download(COMPLETE_SET)
        read = await _require_whole(complete_set, engine, connect.settings_as(Thresholds))
        if table is None:
            genes = await _protein_coding(complete_set)
        else:
            genes = await _resolve(table, complete_set, files, report)
        identity = await read_identity(read, lambda: files.download(WITHDRAWN))
    except (BadAnswer, Wait) as error:
        raise _not_available(error, connect) from error
    try:
        async with engine.begin() as connection:
            await lock(connection)
            for start in range(0, len(genes), GENES_PER_STATEMENT):
                await _store(connection, genes[start : start + GENES_PER_STATEMENT], report)
            if identity is not None:
                await apply(connection, identity, run_id=None)
    except DBAPIError as error:
        if not is_data_error(error):
            raise
        raise UserError(
            f"HGNC's list has a gene that PostgreSQL cannot store: {error.orig}",
            remedy="check HGNC_FILES_URL, or try again later",
        ) from error
    return report


def _not_available(error: BadAnswer | Wait, connect: Connector) -> UserError:
    """Return the error for an unavailable list of genes. Unlike a run, an import does not wait."""
    host = httpx.URL(connect.address(FILES)).netloc.decode()
    if isinstance(error, UpstreamUnavailable):
        return UserError(
            f"cannot get HGNC's list of genes from {host}: {error.reason}",
            remedy="check this machine's network and HGNC_FILES_URL, and try again",
        )
    if isinstance(error, Wait):
        return UserError(
            f"no room for HGNC's list of genes in {connect.settings.cache_dir}: the disk is full",
            remedy="make room there, or set CACHE_DIR",
        )
    return UserError(
        f"{host} has no usable list of HGNC's genes: {error}",
        remedy="check HGNC_FILES_URL, or try again later",
    )


async def _require_whole(
    complete_set: Download, engine: AsyncEngine, settings: Thresholds
) -> FileRead:
    """Return the complete set with its size. Reject one that a run would hold.

    Such a file is much shorter than the last accepted one.
    """
    try:
        digest, rows, genes = await asyncio.to_thread(count_records, complete_set.path)
    except BadAnswer:
        await complete_set.discard()
        raise
    read = FileRead(complete_set, digest, rows, genes)
    async with engine.connect() as connection:
        (judged,) = await judge(connection, Hgnc.info, [read], settings)
    if judged.problem is not None:
        await complete_set.discard()
        raise UserError(
            f"HGNC's list of genes looks wrong: {judged.problem}",
            remedy="try again later; if the list is right, `just annotate hgnc --mode full` holds"
            " it as well and prints how to accept it",
        )
    return read


async def _protein_coding(complete_set: Download) -> list[GeneRow]:
    def read() -> list[GeneRow]:
        return [
            gene_row(record)
            for record in read_records(complete_set.path)
            if record.status == APPROVED and record.locus_group == PROTEIN_CODING
        ]

    return await asyncio.to_thread(read)


async def _resolve(
    table: Table, complete_set: Download, files: Upstream, report: ImportReport
) -> list[GeneRow]:
    try:
        withdrawn = (await files.download(WITHDRAWN)).path
    except BadAnswer as error:
        logger.warning(
            "HGNC's list of withdrawn genes is unavailable; they are reported as unknown: %s", error
        )
        withdrawn = None

    def read() -> list[GeneRow]:
        entries = read_withdrawn(withdrawn) if withdrawn else ()
        names = Names(read_records(complete_set.path), entries)
        rows, columns = read_rows(table, names.is_symbol)
        report.columns.extend(columns)
        return resolve_rows(rows, names, report)

    return await asyncio.to_thread(read)


def resolve_rows(rows: Iterable[Row], names: Names, report: ImportReport) -> list[GeneRow]:
    """Return the genes of the rows without duplicates. Add problems and notes to the report."""
    genes: dict[str, GeneRow] = {}
    for row in rows:
        found = names.resolve(row)
        if not isinstance(found, Resolved):
            report.problems.append(found)
            continue
        report.notes.extend(found.notes)
        if found.gene.hgnc_id in genes:
            report.duplicates += 1
        genes[found.gene.hgnc_id] = found.gene
    return list(genes.values())


async def _store(
    connection: AsyncConnection, genes: Sequence[GeneRow], report: ImportReport
) -> None:
    values = {
        "hgnc_ids": [gene.hgnc_id for gene in genes],
        "symbols": [gene.symbol for gene in genes],
        "ensembl_gene_ids": [gene.ensembl_gene_id for gene in genes],
        "entrez_ids": [gene.entrez_id for gene in genes],
    }
    known = [Identifiers(*row) for row in await connection.execute(_KNOWN, values)]
    updated = await change_identifiers(connection, known, run_id=None)
    added = len((await connection.execute(_ADD, values)).all())
    report.imported += added
    report.updated += updated
    report.unchanged += len(genes) - added - updated
