from collections.abc import Sequence
from datetime import datetime

import click
import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.field_names import split_names
from app.annotation.data.fields import all_fields
from app.annotation.data.gene_changes import VersionChange, changes_page
from app.annotation.data.gene_query import found_gene
from app.annotation.data.manifest import in_order
from app.annotation.data.one_gene import find_gene, read_gene
from app.annotation.data.selection import Selection, find_selection
from app.annotation.data.shapes import Gene, encode
from app.annotation.genes.resolve import Resolution
from app.annotation.genes.words import describe
from app.cli.output import as_json, cells, local_time, note, say, stdout, table
from app.cli.session import Session, in_session

MAX_VERSIONS = 1_000
"""The maximum number of versions of a gene's answers that are listed."""


@click.command()
@click.argument("name")
@click.option("--sources", metavar="SOURCE,...", default="", help="Only these sources.")
@click.option("--as-of", metavar="TIME", help="Show the state at the end of a day, or at a time.")
@click.option("--snapshot", metavar="NAME", help="Show the state of this snapshot.")
@click.option("--history", is_flag=True, help="Show what changed with each version of the answers.")
@as_json
def gene(
    name: str,
    *,
    sources: str,
    as_of: str | None,
    snapshot: str | None,
    history: bool,
    as_json: bool,
) -> None:
    """Show the answers of the sources about the gene NAME.

    NAME is a symbol, a previous symbol, an alias or an id. Without --json, the command shows the
    state of each answer, its release, and since when it is valid. With --json, it writes the full
    answers in the form of the API.
    """

    async def understand(connection: AsyncConnection) -> Selection:
        return await find_selection(
            connection, sources=split_names(sources), as_of=as_of, snapshot=snapshot
        )

    async def answers(session: Session) -> tuple[Resolution, Gene]:
        async with session.db.connect() as connection:
            return await read_gene(connection, name, await understand(connection))

    async def versions(session: Session) -> tuple[Resolution, list[VersionChange], bool]:
        async with session.db.connect() as connection:
            selection = await understand(connection)
            found, _, gene_id = await find_gene(connection, name)
            changes, after = await changes_page(
                connection,
                gene_id,
                selection,
                await all_fields(connection),
                after=None,
                limit=MAX_VERSIONS,
            )
        return found, changes, after is not None

    if history:
        found, changes, more = in_session(versions)
        _write_history(found, changes, as_json=as_json)
        if more:
            note(f"Only the latest {MAX_VERSIONS:,} versions are shown; limit them with --sources")
    else:
        _write_answers(*in_session(answers), as_json=as_json)


def _write_answers(found: Resolution, shown: Gene, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.format(encode(found_gene(found, shown))))
        return
    say(describe(found))
    listed = table("source", "state", "release", "since")
    for source in in_order(shown.annotations):
        answer = shown.annotations[source]
        since = msgspec.json.decode(answer.valid_from, type=datetime)
        listed.add_row(*cells(source, answer.state, answer.release or "-", local_time(since)))
    stdout().print(listed)


def _write_history(found: Resolution, changes: Sequence[VersionChange], *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.format(encode(changes)))
        return
    say(describe(found))
    listed = table("source", "since", "release", "run", "change")
    for line in changes:
        run = "-" if line.run_id is None else str(line.run_id)
        since = local_time(line.at)
        listed.add_row(*cells(line.source, since, line.release or "-", run, line.text))
    stdout().print(listed)
