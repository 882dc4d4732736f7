import asyncio
import dataclasses
import json
from pathlib import Path

import click

from app.annotation.own_tables import store
from app.annotation.own_tables.reading import read_own_file
from app.annotation.own_tables.store import Added, check_name, known_names
from app.cli.output import as_json, count, note, say
from app.cli.session import Session, in_session
from app.cli.who import login_name

MAX_PROBLEMS = 50
"""The most rows without a gene that are named; --json has all of them."""


@click.command("source-add")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--title", help="As people read it; by default NAME.")
@click.option("--licence", help="Of the data; by default: own data.")
@click.option("--release", help="As people read it; by default the day on which it is added.")
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
    """Make the table FILE a source called NAME, or add a newer file to the source NAME.

    FILE is TSV, CSV or XLSX. One of its columns names genes, by identifiers or symbols, as in
    genes-import. Each run of NAME, and of all sources, then stores the rows of each gene. Rows
    whose gene cannot be told are reported.
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
        note(f"only the first sheet was read, and not {', '.join(added.other_sheets)}")
    for problem in added.problems[:MAX_PROBLEMS]:
        say(f"line {problem.line}: {problem.found}: {problem.problem}")
    if len(added.problems) > MAX_PROBLEMS:
        say(f"and {count(len(added.problems) - MAX_PROBLEMS)} more rows; --json has all of them")
    was = "was there already" if added.unchanged else "was added"
    say(
        f"{added.name}, release {added.release}, {was}: {count(added.rows)} rows,"
        f" {count(added.genes_here)} of them about genes of this database,"
        f" {count(added.elsewhere)} about other genes, {count(len(added.problems))} without a gene"
    )
    note(f"To store its answers: just annotate {added.name}")


@click.command("source-remove")
@click.argument("name")
@click.option("--forget", is_flag=True, help="Delete the annotations of the source, too.")
def source_remove(name: str, *, forget: bool) -> None:
    """Remove the own table NAME from the sources. Its annotations stay, unless with --forget."""

    async def do(session: Session) -> int:
        async with session.db.begin() as connection:
            return await store.remove(connection, name, forget=forget)

    deleted = in_session(do)
    say(f"{name} is not a source any more")
    if forget:
        say(f"{count(deleted)} annotations were deleted")
    else:
        note(f"Its annotations stay. To delete them: just source-remove {name} --forget")
