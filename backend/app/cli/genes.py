import dataclasses
import json
from collections.abc import Iterator

import click

from app.annotation.genes.importing import ImportReport, import_genes
from app.annotation.settings import get_settings
from app.annotation.sources.connector import Connector
from app.annotation.upstream import new_http_client, usable_cache_dir
from app.cli.gene_columns import describe_column
from app.cli.output import as_json, count, note, say
from app.cli.session import Session, in_session
from app.core.redis.rate_limits import LocalRateLimiter


@click.command("genes-import")
@click.argument("what", metavar="FILE|hgnc")
@as_json
def genes_import(what: str, *, as_json: bool) -> None:
    """Import the genes in FILE, or with `hgnc` all protein-coding genes.

    FILE is TSV or CSV. Each row has an HGNC id, a symbol, or an NCBI or Ensembl id. Previous
    symbols and aliases are resolved. Rows with an ambiguous, withdrawn, unknown or missing name are
    reported with their line number, and all other rows are imported. How each column was read is
    written to stderr. Importing a list again changes nothing.
    """
    settings = get_settings()

    async def do(session: Session) -> ImportReport:
        usable_cache_dir(settings.cache_dir)
        async with new_http_client(settings.upstream_timeout) as http:
            connect = Connector(settings, LocalRateLimiter(), http)
            return await import_genes(what, engine=session.db, connect=connect)

    report = in_session(do, settings=settings)
    known = report.imported + report.updated + report.unchanged
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report), indent=2))
    else:
        for column in report.columns:
            note(describe_column(column))
        for line, remark in sorted(_remarks(report)):
            say(f"line {line}: {remark}")
        say(
            f"{count(report.imported)} imported, {count(report.updated)} updated,"
            f" {count(report.unchanged)} unchanged, {count(report.duplicates)} duplicate rows,"
            f" {count(len(report.problems))} not imported"
        )
    if not known:
        note("Error: no row could be imported")
        click.get_current_context().exit(1)


def _remarks(report: ImportReport) -> Iterator[tuple[int, str]]:
    for outcome, remarks in (("skipped", report.problems), ("imported", report.notes)):
        for remark in remarks:
            yield remark.line, f"{outcome}: {remark.found}: {remark.kind}: {remark.detail}"
