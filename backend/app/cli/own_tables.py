import asyncio
import dataclasses
import json
from pathlib import Path

import click

from app.annotation.own_tables import removal, store
from app.annotation.own_tables.reading import read_own_file
from app.annotation.own_tables.store import Added, check_name, known_names
from app.cli.output import as_json, count, note, say
from app.cli.session import Session, change_database, in_session
from app.cli.who import login_name

MAX_PROBLEMS = 50
"""The maximum number of rows without a gene that are shown; --json has all of them."""


@click.command("source-add")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--title", help="The title of the source; by default NAME.")
@click.option("--licence", help="The licence of the data; by default 'own data'.")
@click.option("--release", help="The name of the release; by default the current day.")
@click.option("--by", metavar="WHO", help="Who adds it; by default the user of this process.")
@as_json
def source_add(
    name: str,
    file: Path,
    *,
    title: str | None,
    licence: str | None,
    release: str | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Add the table FILE as the source NAME, or replace the file of the source NAME.

    FILE is TSV, CSV or XLSX. One of its columns contains identifiers or symbols of genes, as for
    genes-import. Each run of NAME, and each run of all sources, then stores the rows of each gene.
    Rows without a gene, or with an ambiguous one, are reported.
    """
    check_name(name)

    async def do(session: Session) -> Added:
        async with session.db.connect() as connection:
            is_symbol = await known_names(connection)
        read = await asyncio.to_thread(read_own_file, file, is_symbol)
        async with session.db.begin() as connection:
            return await store.add(
                connection, name, read, title=title, licence=licence, release=release,
                by=by or login_name(),
            )  # fmt: skip

    added = in_session(do)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(added), indent=2))
    else:
        _report(added)


def _report(added: Added) -> None:
    for column in added.columns:
        if column.read_as is not None:
            note(f"column {column.column}: {column.read_as} in {count(column.rows)} rows")
    if added.other_sheets:
        note(f"only the first sheet was read; other sheets: {', '.join(added.other_sheets)}")
    for problem in added.problems[:MAX_PROBLEMS]:
        say(f"line {problem.line}: {problem.found}: {problem.problem}")
    if len(added.problems) > MAX_PROBLEMS:
        say(f"and {count(len(added.problems) - MAX_PROBLEMS)} more rows; --json has all of them")
    was = "is unchanged" if added.unchanged else "was added"
    say(
        f"{added.name}, release {added.release}, {was}: {count(added.rows)} rows,"
        f" {count(added.genes_here)} of them about genes of this database,"
        f" {count(added.elsewhere)} about other genes, {count(len(added.problems))} without a gene"
    )
    note(f"To store its answers: just annotate {added.name}")


@click.command("source-remove")
@click.argument("name")
@click.option("--forget", is_flag=True, help="Also delete the annotations of the source.")
def source_remove(name: str, *, forget: bool) -> None:
    """Remove your own table NAME from the sources. Its annotations stay, except with --forget."""
    deleted = change_database(lambda connection: removal.remove(connection, name, forget=forget))
    say(f"{name} is no longer a source")
    if forget:
        say(f"{count(deleted)} annotations were deleted")
    else:
        note(f"Its annotations stay. To delete them: just source-remove {name} --forget")
