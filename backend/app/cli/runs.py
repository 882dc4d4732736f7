from collections.abc import Iterator
from typing import Any

import click
from rich.table import Table

from app.annotation.refresh.run_detail import RunDetail, get_detail
from app.cli.output import (
    as_json,
    cells,
    count,
    duration,
    event_line,
    headline,
    local_time,
    note,
    nothing_due_note,
    progress_table,
    say,
    source_names,
    stdout,
    table,
    traffic_table,
    write_json,
)
from app.cli.session import RUN_ID, Session, in_session, open_dispatcher, read_database
from app.cli.who import actor, login_name
from app.core.runs import operations, views
from app.core.runs.filters import ALL_RUNS, STATES, read_filter
from app.core.runs.shapes import Changed, RunEvent

MAX_EVENTS = 50
"""The maximum number of events that are shown. Earlier events are left out."""

MAX_EVENTS_IN_JSON = 1_000


class Shown(RunDetail):
    """A run with its events."""

    events: list[RunEvent]
    """The latest events, in order."""


@click.command()
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@click.option("--before", type=RUN_ID, help="Only runs with smaller ids.")
@click.option("--state", "states", multiple=True, help=f"Only {', '.join(STATES)}.")
@click.option("--source", help="Only runs that cover this source.")
@click.option("--error", metavar="TEXT", help="Only runs whose error contains this text.")
@click.option("--since", metavar="TIME", help="Only runs created at this time or later.")
@click.option("--until", metavar="TIME", help="Only runs created before this time.")
@click.option("--actor", metavar="NAME", help="Only runs on which NAME acted, such as ada.")
@as_json
def runs(limit: int, before: int | None, *, as_json: bool, **given: Any) -> None:
    """List the runs, the newest first."""
    only = read_filter(**given)

    page = read_database(
        lambda connection: views.list_runs(connection, limit=limit, before=before, only=only)
    )
    if as_json:
        write_json(page)
        return
    if not page.runs:
        none = "there are no runs; to start one: just annotate"
        note(none if only == ALL_RUNS else "no run matches")
        return
    listed = table("id", "state", "sources", "mode", "done", "created", right=("id", "done"))
    for run in page.runs:
        done = sum(source.done for source in run.progress)
        known = [source.total for source in run.progress if source.total is not None]
        of = f" of {count(sum(known))}" if len(known) == len(run.progress) else ""
        listed.add_row(
            *cells(
                run.id, run.state, source_names(run.sources), run.mode, count(done) + of,
                local_time(run.created_at),
            )
        )  # fmt: skip
    stdout().print(listed)


@click.command()
@click.argument("run_id", metavar="ID", type=RUN_ID)
@as_json
def show(run_id: int, *, as_json: bool) -> None:
    """Show the run ID: its progress and its events."""

    async def do(session: Session) -> Shown:
        async with session.db.connect() as connection:
            run = await get_detail(connection, run_id)
            limit = MAX_EVENTS_IN_JSON if as_json else MAX_EVENTS
            events = await views.latest_events(connection, run_id, limit=limit)
        return Shown(**dict(run), events=events)

    run = in_session(do)
    if as_json:
        write_json(run)
        return
    console = stdout()
    console.print(headline(run), soft_wrap=True)
    if run.error is not None:
        console.print(f"error: {run.error}", soft_wrap=True)
    console.print(_facts(run), soft_wrap=True)
    console.print()
    console.print(progress_table(run.progress))
    if (fresh := nothing_due_note(run)) is not None:
        console.print(fresh, soft_wrap=True)
    if any(source.changed for source in run.progress):
        console.print(f"to see what changed: just changes --run {run.id}", soft_wrap=True)
    for line in _held_lines(run):
        console.print(line, soft_wrap=True)
    for title, further in _further_tables(run):
        console.print(f"\n{title}:")
        console.print(further)
    earlier = f" (the latest {MAX_EVENTS})" if len(run.events) == MAX_EVENTS else ""
    console.print(f"\nevents{earlier}:")
    for event in run.events:
        console.print(f"{local_time(event.at)}  {event_line(event)}", soft_wrap=True)
    if run.started_at is not None:
        console.print(f"\nto see the log of its worker: just log {run.id}", soft_wrap=True)


def _further_tables(run: RunDetail) -> Iterator[tuple[str, Table]]:
    if requested := [source for source in run.progress if source.requests]:
        yield "requests to the services", traffic_table(requested)
    if run.unknown_reasons:
        reasons = table("source", "genes", "example", "reason", right=("genes",))
        for reason in run.unknown_reasons:
            reasons.add_row(
                *cells(reason.source, count(reason.genes), reason.example, reason.reason or "-")
            )
        yield "reasons for unknown answers", reasons


def _facts(run: RunDetail) -> str:
    facts = [f"attempts {run.attempts}"]
    facts += [f"interruptions {run.interruptions}"] if run.interruptions else []
    facts += [f"lost workers {run.losses}"] if run.losses else []
    if run.worker is not None:
        word = "on" if run.state == "running" else "last on"
        facts.append(f"{word} worker {run.worker.id} ({run.worker.host}, pid {run.worker.pid})")
    if run.eta is not None:
        facts.append(f"estimated time left {duration(run.eta)}")
    return ", ".join(facts)


@click.command()
@click.argument("run_id", metavar="ID", type=RUN_ID)
@as_json
def cancel(run_id: int, *, as_json: bool) -> None:
    """Cancel the run ID. Committed answers stay, and `retry` continues from there."""

    async def do(session: Session) -> Changed:
        async with session.db.begin() as connection:
            await operations.cancel(connection, run_id, actor=actor())
        return Changed(id=run_id, state="cancelled")

    _report(in_session(do), "was cancelled", as_json=as_json)


@click.command()
@click.argument("run_id", metavar="ID", type=RUN_ID)
@as_json
def retry(run_id: int, *, as_json: bool) -> None:
    """Reopen the failed or cancelled run ID. It continues from what it has committed."""

    async def do(session: Session) -> Changed:
        async with session.db.begin() as connection:
            ref = await operations.retry(connection, run_id, actor=actor())
        async with open_dispatcher(session.settings) as dispatcher:
            await dispatcher.send([ref])
        return Changed(id=run_id, state="queued")

    _report(in_session(do), "is queued", as_json=as_json)


@click.command()
@click.argument("run_id", metavar="ID", type=RUN_ID)
@click.argument("source")
@click.option("--note", default="", help="The reason, which is stored with the run.")
@click.option("--by", metavar="NAME", help="Your name; by default your login name.")
@as_json
def accept(run_id: int, source: str, note: str, by: str | None, *, as_json: bool) -> None:
    """Accept the held answers of SOURCE in the run ID. The run continues with this source.

    `just show ID` shows what is held and why. The acceptance applies to what is shown there: if the
    source's file has changed since, or more genes would become absent, the answers are held again.
    """

    async def do(session: Session) -> Changed:
        who = login_name() if by is None else by
        async with session.db.begin() as connection:
            ref = await operations.accept(
                connection, run_id, source, actor=actor(), by=who, note=note
            )
        if ref is not None:
            async with open_dispatcher(session.settings) as dispatcher:
                await dispatcher.send([ref])
        return Changed(id=run_id, state="queued")

    _report(in_session(do), "is queued", as_json=as_json)


def _held_lines(run: RunDetail) -> Iterator[str]:
    """Yield the held answers with the commands to type, and the accepted ones with the person."""
    for source in run.progress:
        if (accepted := source.accepted) is not None:
            at = local_time(accepted.accepted_at)
            note = f": {accepted.note}" if accepted.note else ""
            yield f"\nanswers of {source.source} accepted by {accepted.by}, {at}{note}"
            yield f"  {accepted.reason}"
        if (held := source.held) is not None:
            yield f"\nanswers of {source.source} are held: {held.reason}"
            if held.examples:
                rest = ", ..." if held.genes > len(held.examples) else ""
                yield f"  genes that would become absent: {', '.join(held.examples)}{rest}"
            yield f"  if the source is wrong, wait until it is corrected, then: just retry {run.id}"
            yield f'  if the answers are right: just accept {run.id} {source.source} --note "why"'


def _report(changed: Changed, words: str, *, as_json: bool) -> None:
    if as_json:
        write_json(changed)
    else:
        say(f"run {changed.id} {words}")
