from collections import Counter
from collections.abc import Sequence
from typing import Any

import click

from app.annotation.data import changes as data
from app.annotation.data.changes import FORMATS, ORDERS, ChangeRequest, ChangeSelection, Listed
from app.cli.output import count, note
from app.cli.session import RUN_ID, Session, in_session

_WORDS = {"gene": "event", "changed": "changed", "first answer": "first answer"}
"""The word for a number of changes, by their kind."""


@click.command()
@click.option("--since", metavar="TIME", help="Compare with now; 7 days ago by default.")
@click.option("--run", type=RUN_ID, metavar="ID", help="Show what this run changed.")
@click.option("--from", "from_", metavar="TIME|SNAPSHOT", help="Compare from here ...")
@click.option("--to", metavar="TIME|SNAPSHOT", help="... to here; now by default.")
@click.option("--source", metavar="SOURCE", help="Only the answers of this source.")
@click.option("--gene", metavar="NAME", help="Only this gene: a symbol, an alias or an id.")
@click.option("--list", metavar="NAME", help="Only the genes on this list.")
@click.option("--moving", is_flag=True, help="Include dates, versions and numbers of articles.")
@click.option("--order", type=click.Choice(ORDERS), default=ORDERS[0], show_default=True)
@click.option("--format", "form", type=click.Choice([*FORMATS]), default="text", show_default=True)
def changes(*, form: str, **change_request: Any) -> None:
    """Show what was added, removed and altered, for each gene and source.

    TIME is a day (2026-03-31) or a time with its zone (2026-03-31T18:00:00Z). A day means its
    beginning in --since, and its end in --from and --to, in UTC. Two states are compared, so an
    answer that changed and changed back is not shown. Without --moving, fields that change
    regularly without a change in content are left out. A summary is written to stderr.
    """
    numbers: Counter[tuple[str, str]] = Counter()

    def written(listed: list[Listed]) -> bytes:
        numbers.update((row.change.source or "", row.change.kind) for row in listed)
        return FORMATS[form].write(listed)

    async def do(session: Session) -> ChangeSelection:
        async with data.reading(session.db) as connection:
            selection = await data.parse_request(connection, ChangeRequest(**change_request))
            click.echo(FORMATS[form].header, nl=False)
            async for part in data.stream(connection, selection, written):
                click.echo(part, nl=False)
        return selection

    selection = in_session(do)
    for line in _summary(numbers, selection):
        note(line)


def _summary(numbers: Counter[tuple[str, str]], selection: ChangeSelection) -> Sequence[str]:
    if not numbers:
        return [f"nothing was changed {selection.period}"]
    lines = []
    for source in sorted({source for source, _ in numbers}):
        counts = [_counted(numbers[source, kind], word) for kind, word in _WORDS.items()]
        lines.append(f"{source or 'genes'}: {', '.join(filter(None, counts))}")
    return [f"changes {selection.period}:", *lines]


def _counted(number: int, word: str) -> str:
    plural = "" if number == 1 or word == "changed" else "s"
    return f"{count(number)} {word}{plural}" if number else ""
