import asyncio
from collections.abc import Sequence
from pathlib import Path

import click

from app.annotation.data import lists as gene_lists
from app.annotation.data.lists import ListChange, check_name, put_list
from app.annotation.genes.columns import ReadColumn, read_rows
from app.annotation.genes.files import read_gene_file
from app.annotation.genes.listed import Listed, resolve_rows
from app.annotation.own_tables.store import known_names
from app.cli.gene_columns import describe_column
from app.cli.output import (
    as_json,
    cells,
    count,
    local_time,
    note,
    say,
    stdout,
    table,
    write_json,
    write_json_list,
)
from app.cli.session import Session, change_database, in_session, read_database
from app.cli.who import login_name
from app.core.text.words import some

MAX_SHOWN = 50
"""The maximum number of rows and genes that are shown; --json has all of them."""


@click.command("list-add")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--note", "what_for", help="What the list is for.")
@click.option("--by", metavar="WHO", help="Who adds it; by default the user of this process.")
@as_json
def list_add(name: str, file: Path, *, what_for: str | None, by: str | None, as_json: bool) -> None:
    """Add the genes in FILE as the list NAME, or replace the genes of the list NAME.

    FILE has the same form as for genes-import: TSV or CSV with identifiers, symbols, previous
    symbols or aliases. Rows with an unknown or ambiguous name are reported with their line number
    and left out. A list may contain genes that are not in the database. Adding a list again changes
    nothing.
    """
    check_name(name)
    by = login_name() if by is None else by

    async def do(session: Session) -> ListChange:
        async with session.db.connect() as connection:
            is_symbol = await known_names(connection)
        rows, columns = await asyncio.to_thread(lambda: read_rows(read_gene_file(file), is_symbol))
        async with session.db.begin() as connection:
            listed = await resolve_rows(connection, rows)
            if not as_json:
                _report_rows(columns, listed)
            return await put_list(
                connection, name, listed, note=what_for, by=by, file_name=file.name
            )

    change = in_session(do)
    if as_json:
        write_json(change)
    else:
        _report(change)


def _report_rows(columns: Sequence[ReadColumn], listed: Listed) -> None:
    for column in columns:
        note(describe_column(column))
    found = [
        (remark.line, f"{outcome}: {remark.found}: {remark.kind}: {remark.detail}")
        for outcome, remarks in (("left out", listed.problems), ("listed", listed.notes))
        for remark in remarks
    ]
    for line, remark in sorted(found)[:MAX_SHOWN]:
        say(f"line {line}: {remark}")
    if len(found) > MAX_SHOWN:
        say(f"and {count(len(found) - MAX_SHOWN)} more rows; --json has all of them")


def _report(change: ListChange) -> None:
    if away := change.not_in_database:
        shown = some([f"{gene.symbol} ({gene.hgnc_id})" for gene in away], MAX_SHOWN)
        say(f"not in the database: {shown}")
        note("The list has an effect on them when they are imported: just genes-import FILE")
    what = "was added" if change.created else "was changed" if change.changed else "is unchanged"
    say(
        f"{change.name} {what}: {count(change.genes)} genes, {count(change.added)} added,"
        f" {count(change.removed)} removed, {count(change.duplicates)} duplicate rows,"
        f" {count(len(change.problems))} left out"
    )


@click.command("lists")
@as_json
def lists(*, as_json: bool) -> None:
    """List the gene lists."""
    found = read_database(gene_lists.all_lists)
    if as_json:
        write_json_list(found)
        return
    if not found:
        note("There is no gene list yet. To add one: just list-add NAME FILE")
        return
    numbers = ("genes", "in database")
    shown = table("name", *numbers, "changed", "by", "note", right=numbers)
    for stored in found:
        counts = (count(stored.genes), count(stored.in_database))
        when = local_time(stored.updated_at)
        shown.add_row(*cells(stored.name, *counts, when, stored.by, stored.note or ""))
    stdout().print(shown)


@click.command("list-remove")
@click.argument("name")
def list_remove(name: str) -> None:
    """Remove the gene list NAME. Its genes and their annotations stay."""
    change_database(lambda connection: gene_lists.remove_list(connection, name))
    say(f"the list {name} was removed")
