from collections.abc import Sequence
from datetime import UTC, datetime

import click

from app.annotation.overview.sources import SourceOverview, source_overview, sources_overview
from app.annotation.settings import get_settings
from app.cli.output import (
    as_json,
    cells,
    count,
    note,
    say,
    stdout,
    table,
    write_json,
    write_json_list,
)
from app.cli.session import Session, in_session
from app.core.text.words import time_span


@click.command()
@click.argument("name", required=False)
@as_json
def sources(name: str | None, *, as_json: bool) -> None:
    """Show the sources: their releases, the number of answers, and their age.

    RELEASE is the release of most answers. MISSING counts the genes for which the source was not
    queried yet. MEDIAN and OLDEST are the ages of the answers, and SUCCESS is the time since a run
    last refreshed the source. With NAME, the command shows details of one source: its licence, its
    releases, and the number of genes that are due. With --json, it writes the details of all.
    """
    settings = get_settings()

    async def do(session: Session) -> list[SourceOverview]:
        async with session.db.connect() as connection:
            if name is not None:
                return [await source_overview(connection, settings, name)]
            return await sources_overview(connection, settings)

    found = in_session(do, settings=settings)
    if as_json and name is not None:
        write_json(found[0])
    elif as_json:
        write_json_list(found)
    elif name is not None:
        _show_one(found[0])
        _explain(found)
    else:
        _show_all(found)
        _explain(found)


def _show_all(found: Sequence[SourceOverview]) -> None:
    numbers = ("found", "absent", "unknown", "missing", "median", "oldest", "success")
    shown = table("source", "release", *numbers, right=numbers)
    for source in found:
        shown.add_row(
            *cells(
                source.name,
                (source.stored[0].release or "?") if source.stored else "-",
                count(source.found),
                count(source.absent),
                count(source.unknown),
                count(source.missing),
                *(
                    "-" if age is None else time_span(age)
                    for age in (source.median_age, source.oldest_age, _since(source))
                ),
            )
        )
    stdout().print(shown)


def _show_one(source: SourceOverview) -> None:
    since = _since(source)
    ages = (("median age", source.median_age), ("oldest", source.oldest_age), ("success", since))
    shown = table("source", source.name)
    for label, value in (
        ("title", source.title),
        ("licence", " ".join(filter(None, (source.licence, source.licence_url)))),
        ("attribution", source.attribution),
        *(
            ("stored", f"{release.release or '?'}, {release.genes:,} genes")
            for release in source.stored
        ),
        *(
            (
                f"current {release.of}",
                f"{release.release}, {release.address}, seen {release.seen_at:%Y-%m-%d}",
            )
            for release in source.current
        ),
        *(
            (name, count(getattr(source, name)))
            for name in ("found", "absent", "unknown", "missing", "due")
        ),
        *((label, "-" if age is None else time_span(age)) for label, age in ages),
        ("stale after", time_span(source.freshness)),
    ):
        shown.add_row(*cells(label, value))
    stdout().print(shown)


def _explain(found: Sequence[SourceOverview]) -> None:
    for source in found:
        if not source.enabled:
            say(
                f"{source.name} is disabled (DISABLED_SOURCES); to refresh it anyway:"
                f" just annotate {source.name}"
            )
        if source.current and not all(release.is_current for release in source.stored):
            names = ", ".join(dict.fromkeys(release.release for release in source.current))
            say(f"{source.name} has published a newer release: {names}")
        if source.held is not None:
            note(
                f"the answers of {source.name} are held since run {source.held.run_id}:"
                f" {source.held.reason}"
            )
            note(f"To see what is held: just show {source.held.run_id}")
        for outage in source.outages:
            note(f"{source.name}: run {outage.run_id} waits, because {outage.host} does not answer")


def _since(source: SourceOverview) -> float | None:
    """Return the seconds since a run last refreshed the source."""
    last = source.last_success
    return None if last is None else max((datetime.now(tz=UTC) - last).total_seconds(), 0)
