import dataclasses
import json
from collections.abc import Iterator

import click

from app.annotation.genes import ImportReport, import_genes
from app.annotation.sources.base import Connector
from app.annotation.upstream import new_http_client
from app.cli.output import as_json, count
from app.cli.session import Session, in_session
from app.core.rate_limit import LocalRateLimiter


@click.command("genes-import")
@click.argument("what", metavar="FILE|hgnc")
@as_json
def genes_import(what: str, *, as_json: bool) -> None:
    """Import the genes of a FILE, or with `hgnc` all that code for proteins.

    FILE is TSV or CSV with an HGNC id or a symbol a row. Previous symbols and aliases are
    resolved; what is ambiguous, withdrawn or unknown is reported by its line, and the rest is
    imported. Importing a list again does no harm.
    """

    async def do(session: Session) -> ImportReport:
        async with new_http_client(session.settings.upstream_timeout) as http:
            connect = Connector(session.settings, LocalRateLimiter(), http)
            return await import_genes(what, engine=session.db, connect=connect)

    report = in_session(do)
    known = report.imported + report.updated + report.unchanged
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report), indent=2))
    else:
        for line, said in sorted(_remarks(report)):
            click.echo(f"line {line}: {said}")
        click.echo(
            f"{count(report.imported)} imported, {count(report.updated)} updated,"
            f" {count(report.unchanged)} unchanged, {count(report.duplicates)} duplicate rows,"
            f" {count(len(report.problems))} not imported"
        )
    if not known:
        click.echo("Error: none of the rows could be imported", err=True)
        click.get_current_context().exit(1)


def _remarks(report: ImportReport) -> Iterator[tuple[int, str]]:
    for outcome, remarks in (("skipped", report.problems), ("imported", report.notes)):
        for each in remarks:
            yield each.line, f"{outcome}: {each.found}: {each.kind}: {each.detail}"
