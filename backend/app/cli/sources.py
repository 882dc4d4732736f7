import json

import click

from app.annotation.overview import SourceOverview, sources_overview
from app.annotation.settings import get_settings
from app.cli.output import as_json, cells, count, local_time, note, stdout, table
from app.cli.session import Session, in_session
from app.core.words import span


@click.command()
@as_json
def sources(*, as_json: bool) -> None:
    """Show the sources: their releases, how many genes have an answer, and how old it is.

    CURRENT is the release that the source published when it was last looked at, and STORED the one
    that most stored answers are from. With --json, also licences, addresses and attributions.
    """
    settings = get_settings()

    async def do(session: Session) -> list[SourceOverview]:
        async with session.db.connect() as connection:
            return await sources_overview(connection, settings.enabled_sources)

    found = in_session(do, settings=settings)
    if as_json:
        click.echo(json.dumps([each.model_dump(mode="json") for each in found], indent=2))
        return
    numbers = ("found", "absent", "unknown", "missing", "median age", "oldest")
    shown = table("source", "current", "stored", *numbers, "last success", right=numbers)
    for each in found:
        shown.add_row(
            *cells(
                each.name if each.enabled else f"{each.name} (off)",
                ", ".join(dict.fromkeys(release.release for release in each.current)) or "-",
                ", ".join(release.release or "?" for release in each.stored[:2]) or "-",
                count(each.found),
                count(each.absent),
                count(each.unknown),
                count(each.missing),
                "-" if each.median_age is None else span(each.median_age),
                "-" if each.oldest_age is None else span(each.oldest_age),
                "-" if each.last_success is None else local_time(each.last_success),
            )
        )
    stdout().print(shown)
    for each in found:
        if each.held is not None:
            note(f"{each.name} is held since run {each.held.run_id}: {each.held.reason}")
            note(f"To see it: just show {each.held.run_id}")
