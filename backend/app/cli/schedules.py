import json
import re
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import click

from app.annotation.refresh.requests import plan, require_sources
from app.annotation.scheduled import actions
from app.annotation.settings import get_settings
from app.cli.output import (
    as_json,
    cells,
    note,
    say,
    stdout,
    table,
    write_json,
    write_json_list,
)
from app.cli.schedule_actions import action_of, action_options, details, outcome, what
from app.cli.session import Session, change_database, in_session, open_dispatcher
from app.cli.suggestions import suggest_schedules
from app.cli.who import actor, login_name
from app.core.errors import WrongUse
from app.core.runs.actors import NOT_RECORDED
from app.core.runs.request import MODES, RunRequest
from app.core.schedules import operations, views
from app.core.schedules.actions import REFRESH
from app.core.schedules.operations import NewSchedule
from app.core.schedules.schedule import DEFAULT_CATCH_UP, OVERLAPS
from app.core.schedules.views import Schedule, Tick
from app.core.text.words import time_span

_UNITS = {"min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(rf"(\d{{1,6}}(?:\.\d+)?) ?({'|'.join(_UNITS)})", re.ASCII)

MAX_TICKS = 20
"""The maximum number of ticks that are shown; --json has more of them."""

MAX_TICKS_IN_JSON = 1_000


class _Duration(click.ParamType[timedelta]):
    """A number with a unit, such as 30min, 6h, 8d or 2w."""

    name = "duration"

    def convert(
        self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """See :meth:`click.ParamType.convert`."""
        if isinstance(value, timedelta):
            return value
        found = _DURATION.fullmatch(value.strip())
        if found is None and value.strip() != "0":
            self.fail(f"{value!r} is not a duration such as 30min, 6h, 8d or 2w", param, ctx)
        return (
            timedelta() if found is None else timedelta(seconds=float(found[1]) * _UNITS[found[2]])
        )


@click.command()
@click.argument("name", required=False)
@click.option("--suggest", is_flag=True, help="Print commands that add recommended schedules.")
@as_json
def schedules(name: str | None, *, suggest: bool, as_json: bool) -> None:
    """List the schedules, or show the schedule NAME: its next times and its last ticks."""
    if suggest:
        for line in suggest_schedules(get_settings().enabled_sources):
            say(line)
        return

    async def all_of_them(session: Session) -> list[Schedule]:
        async with session.db.connect() as connection:
            return await views.list_schedules(connection)

    async def one(session: Session) -> tuple[Schedule, list[Tick]]:
        assert name is not None
        limit = MAX_TICKS_IN_JSON if as_json else MAX_TICKS
        async with session.db.connect() as connection:
            found = await views.get_schedule(connection, name)
            return found, (await views.list_ticks(connection, name, limit=limit)).ticks

    if name is None:
        _list(in_session(all_of_them), as_json=as_json)
    else:
        _show(*in_session(one), as_json=as_json)


def _list(found: list[Schedule], *, as_json: bool) -> None:
    if as_json:
        write_json_list(found)
        return
    if not found:
        note("there are no schedules; to see recommended ones: just schedules --suggest")
        return
    listed = table("name", "when", "what", "next", "last")
    for schedule in found:
        upcoming = "paused" if schedule.paused_at else _here(schedule.next[0])
        listed.add_row(
            *cells(
                schedule.name,
                _when(schedule),
                what(schedule),
                upcoming,
                outcome(schedule.last, _here),
            )
        )
    stdout().print(listed)


def _show(schedule: Schedule, ticks: list[Tick], *, as_json: bool) -> None:
    if as_json:
        shown = schedule.model_dump(mode="json")
        shown["ticks"] = [tick.model_dump(mode="json") for tick in ticks]
        click.echo(json.dumps(shown, indent=2))
        return
    if schedule.action == REFRESH:
        say(f"{schedule.name}: {_when(schedule)}, {what(schedule)}, {schedule.mode}")
        say(f"if such a run is active: {schedule.overlap}; added by {schedule.by}")
    else:
        say(f"{schedule.name}: {_when(schedule)}, {what(schedule)}")
        if options := details(schedule):
            say(options)
        say(f"if an earlier tick is not done: {schedule.overlap}; added by {schedule.by}")
    if schedule.catch_up:
        say(f"missed ticks are caught up within {time_span(schedule.catch_up)}")
    if schedule.paused_at is not None:
        who = schedule.paused_by or NOT_RECORDED
        say(f"paused since {_here(schedule.paused_at)}, by {who}")
    elif schedule.resumed_at is not None:
        say(f"resumed at {_here(schedule.resumed_at)}, by {schedule.resumed_by}")
    _show_next(schedule)
    if ticks:
        past = table("tick", "outcome")
        for tick in ticks:
            at_once = "" if tick.actor is None else f", requested by {tick.actor}"
            past.add_row(*cells(_here(tick.tick), outcome(tick, _here) + at_once))
        stdout().print(past)


def _show_next(schedule: Schedule) -> None:
    upcoming = table("next", "" if schedule.cron is None else f"in {schedule.zone}")
    for at in schedule.next:
        there = at.astimezone(ZoneInfo(schedule.zone))
        zoned = "" if schedule.cron is None else f"{there:%Y-%m-%d %H:%M %Z}"
        upcoming.add_row(*cells(_here(at), zoned))
    stdout().print(upcoming)


def _here(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M %Z}"


def _when(schedule: Schedule) -> str:
    if schedule.every is None:
        return f"{schedule.cron} ({schedule.zone})"
    if schedule.kind == "release":
        return f"checks for a release every {time_span(schedule.every)}"
    return f"when data are older than {time_span(schedule.every)}"


@click.command("schedule-add")
@click.argument("cron", required=False)
@click.option(
    "--freshness", "max_age", type=_Duration(), help="When data are older than this, such as 8d."
)
@click.option(
    "--release-every",
    "release_every",
    type=_Duration(),
    help="Check for a new release this often, such as 6h.",
)
@click.option(
    "--sources", help="The sources of the runs or of the export, with commas; by default all."
)
@click.option("--mode", type=click.Choice(MODES), default=MODES[0], show_default=True)
@click.option("--zone", default="UTC", show_default=True, help="Time zone of CRON.")
@click.option(
    "--overlap",
    type=click.Choice(OVERLAPS),
    default=OVERLAPS[0],
    show_default=True,
    help="Skip or queue a tick while a run of these sources is active, or an earlier tick is not"
    " done.",
)
@click.option(
    "--catch-up",
    type=_Duration(),
    default=DEFAULT_CATCH_UP,
    show_default="1d",
    help="Catch up a missed tick within this time; 0: never.",
)
@click.option("--name", help="The name; by default from the sources and the kind, or the action.")
@click.option("--by", metavar="WHO", help="Your name; by default your login name.")
@action_options
@as_json
def schedule_add(
    cron: str | None,
    max_age: timedelta | None,
    release_every: timedelta | None,
    *,
    sources: str | None,
    mode: str,
    zone: str,
    overlap: str,
    catch_up: timedelta,
    name: str | None,
    by: str | None,
    as_json: bool,
    **action_values: Any,
) -> None:
    """Add a schedule: create runs at the times of CRON, or when data are old or a release appears.

    With --snapshot, --backup or --export, the schedule does that at the times of CRON instead.

    CRON has five fields: minute, hour, day of the month, month, day of the week. "0 3 * * 0" is
    Sunday at 3 o'clock in the time zone ZONE.
    """
    given = {"cron": cron, "freshness": max_age, "release": release_every}
    kinds = [kind for kind, value in given.items() if value is not None]
    if len(kinds) != 1:
        raise WrongUse(
            "no time is given" if not kinds else "several kinds of times are given",
            allowed="one of CRON, --freshness and --release-every",
        )
    (kind,) = kinds
    named = None if sources is None else [name for name in re.split(r"[,\s]+", sources) if name]
    action, options, names = action_of(action_values, named)
    default_name = f"{'-'.join(sorted(names)) if names else 'all'}-{kind}"[:60]
    new = NewSchedule(
        name=name or (default_name if action == REFRESH else action),
        kind=kind,
        cron=cron,
        zone=zone,
        every=max_age if release_every is None else release_every,
        request=RunRequest.of(names, mode),
        overlap=overlap,
        catch_up=catch_up,
        by=login_name() if by is None else by,
        action=action,
        options=options,
    )
    settings = get_settings()

    async def do(session: Session) -> Schedule:
        async with session.db.begin() as connection:
            check = partial(require_sources, enabled=settings.enabled_sources)
            await operations.add(connection, new, check, actions(settings))
            return await views.get_schedule(connection, new.name)

    added = in_session(do, settings=settings)
    if as_json:
        write_json(added)
        return
    say(f"{added.name} was added: {_when(added)}, {what(added)}")
    _show_next(added)


@click.command("schedule-pause")
@click.argument("name")
def schedule_pause(name: str) -> None:
    """Pause the schedule NAME until it is resumed."""
    change_database(lambda connection: operations.pause(connection, name, actor=actor()))
    say(f"{name} is paused; to resume it: just schedule-resume {name}")


@click.command("schedule-resume")
@click.argument("name")
def schedule_resume(name: str) -> None:
    """Resume the paused schedule NAME. Ticks that were due meanwhile are not caught up."""

    async def do(session: Session) -> Schedule:
        async with session.db.begin() as connection:
            await operations.resume(connection, name, actor=actor())
            return await views.get_schedule(connection, name)

    resumed = in_session(do)
    say(f"{name} is resumed; next: {_here(resumed.next[0])}")


@click.command("schedule-run")
@click.argument("name")
def schedule_run(name: str) -> None:
    """Do a tick of the schedule NAME now, even if it is paused."""
    settings = get_settings()

    async def do(session: Session) -> Tick | None:
        covers = partial(plan, enabled=settings.enabled_sources)
        async with session.db.begin() as connection:
            created = await operations.run_now(connection, name, covers, actor=actor())
            last = (await views.get_schedule(connection, name)).last
        async with open_dispatcher(session.settings) as dispatcher:
            await dispatcher.send(created)
        return last

    done = in_session(do, settings=settings)
    say(f"{name}: {outcome(done, _here)}")
    if done is None or done.outcome not in {"ran", "waiting"}:
        click.get_current_context().exit(1)


@click.command("schedule-remove")
@click.argument("name")
def schedule_remove(name: str) -> None:
    """Remove the schedule NAME and the history of its ticks.

    Its runs, snapshots and files stay.
    """
    change_database(lambda connection: operations.remove(connection, name))
    say(f"{name} was removed")
