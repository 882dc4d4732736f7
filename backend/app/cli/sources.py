from datetime import UTC, datetime

import click

from app.annotation.overview import SourceOverview, sources_overview
from app.annotation.settings import get_settings
from app.cli.output import (
    as_json,
    cells,
    count,
    note,
    say,
    stdout,
    table,
    write_json_list,
)
from app.cli.session import Session, in_session
from app.core.words import span


@click.command()
@as_json
def sources(*, as_json: bool) -> None:
    """Show the sources: their releases, how many genes have an answer, and how old it is.

    RELEASE is the one that most answers are from. MISSING counts the genes that the source was not
    asked about yet. MEDIAN and OLDEST are the ages of the answers, and SUCCESS is the time since a
    run last refreshed the source. With --json, also licences, addresses and attributions.
    """
    settings = get_settings()

    async def do(session: Session) -> list[SourceOverview]:
        async with session.db.connect() as connection:
            return await sources_overview(connection, settings.enabled_sources)

    found = in_session(do, settings=settings)
    if as_json:
        write_json_list(found)
        return
    numbers = ("found", "absent", "unknown", "missing", "median", "oldest", "success")
    shown = table("source", "release", *numbers, right=numbers)
    for each in found:
        shown.add_row(
            *cells(
                each.name,
                (each.stored[0].release or "?") if each.stored else "-",
                count(each.found),
                count(each.absent),
                count(each.unknown),
                count(each.missing),
                *("-" if age is None else span(age) for age in _ages(each)),
            )
        )
    stdout().print(shown)
    for each in found:
        if not each.enabled:
            say(f"{each.name} is off (DISABLED_SOURCES); to ask it: just annotate {each.name}")
        if each.current and not all(release.is_current for release in each.stored):
            names = ", ".join(dict.fromkeys(release.release for release in each.current))
            say(f"{each.name} has published another release since: {names}")
        if each.held is not None:
            note(f"{each.name} is held since run {each.held.run_id}: {each.held.reason}")
            note(f"To see it: just show {each.held.run_id}")


def _ages(source: SourceOverview) -> tuple[float | None, ...]:
    """Return the numbers of the last three columns, in seconds."""
    last = source.last_success
    since = None if last is None else max((datetime.now(tz=UTC) - last).total_seconds(), 0)
    return source.median_age, source.oldest_age, since
