from datetime import datetime

import click
import msgspec

from app.annotation.data.field_names import split_names
from app.annotation.data.gene_query import found_gene
from app.annotation.data.manifest import in_order
from app.annotation.data.one_gene import read_gene
from app.annotation.data.shapes import Gene, encode
from app.annotation.data.wanted import find_wanted
from app.annotation.genes.resolve import Resolution
from app.annotation.genes.words import describe
from app.cli.output import as_json, cells, local_time, say, stdout, table
from app.cli.session import Session, in_session


@click.command()
@click.argument("name")
@click.option("--sources", metavar="SOURCE,...", default="", help="Only these sources.")
@click.option("--as-of", metavar="TIME", help="As it was at the end of a day, or at a time.")
@click.option("--snapshot", metavar="NAME", help="As it was in this snapshot.")
@as_json
def gene(
    name: str, *, sources: str, as_of: str | None, snapshot: str | None, as_json: bool
) -> None:
    """Show what the sources say about the gene with this NAME.

    NAME is a symbol, a previous symbol, an alias or an id. Without --json, the state of each
    answer, its release, and since when it is what it is. With --json, the answers, as the API
    gives them.
    """

    async def do(session: Session) -> tuple[Resolution, Gene]:
        async with session.db.connect() as connection:
            wanted = await find_wanted(
                connection, sources=split_names(sources), as_of=as_of, snapshot=snapshot
            )
            return await read_gene(connection, name, wanted)

    found, shown = in_session(do)
    if as_json:
        click.echo(msgspec.json.format(encode(found_gene(found, shown))))
        return
    say(describe(found))
    answers = table("source", "state", "release", "since")
    for source in in_order(shown.annotations):
        answer = shown.annotations[source]
        since = msgspec.json.decode(answer.valid_from, type=datetime)
        answers.add_row(*cells(source, answer.state, answer.release or "-", local_time(since)))
    stdout().print(answers)
