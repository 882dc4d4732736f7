"""What a schedule does, as options of the command line and in words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from app.annotation.data.field_names import split_names
from app.core.errors import WrongUse
from app.core.schedules.actions import REFRESH
from app.core.schedules.views import Schedule, Tick

_OPTIONS: Sequence[Callable[[Any], Any]] = (
    click.option("--snapshot", metavar="NAME", help="Take a snapshot: NAME-2026-11-01."),
    click.option("--note", help="Why the snapshots are taken."),
    click.option("--backup", metavar="FOLDER", help="Write a backup into this folder."),
    click.option("--export", metavar="FOLDER", help="Export a table into this folder."),
    click.option("--keep-daily", type=int, help="Keep this many days. Backups: 7; exports: all"),
    click.option("--keep-weekly", type=int, help="Keep this many weeks. Backups: 4; exports: all"),
    click.option("--format", metavar="FORMAT", help="Of the export; by default tsv."),
    click.option("--fields", metavar="FIELD,...", help="Only these fields are exported."),
    click.option("--list", metavar="NAME", help="Only the genes of this list are exported."),
    click.option(
        "--where", multiple=True, metavar="CONDITION", help="Only genes that satisfy it; repeatable"
    ),
    click.option("--long", metavar="FIELD", help="Export one row for each entry of this field."),
)

_NAMES = ("snapshot", "backup", "export")


def action_options(command: Any) -> Any:
    """Add the options that say what a schedule does."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def action_of(
    given: Mapping[str, Any], sources: Sequence[str] | None
) -> tuple[str, dict[str, Any], Sequence[str] | None]:
    """Return the action, its options, and the sources that runs ask for.

    Args:
        given: the values of the options by name.
        sources: the names of the option ``--sources``.

    Raises:
        WrongUse: several actions are named, or options that belong to none.
    """
    named = [name for name in _NAMES if given[name] is not None]
    options = {
        name: value
        for name, value in given.items()
        if name not in _NAMES and value is not None and value != ()
    }
    if len(named) > 1:
        raise WrongUse(
            "several things to do are given", allowed=f"one of --{', --'.join(_NAMES)}, or none"
        )
    if not named:
        if options:
            first = next(iter(options)).replace("_", "-")
            raise WrongUse(
                f"--{first} without something that it belongs to",
                allowed="with --snapshot, --backup or --export",
            )
        return REFRESH, {}, sources
    (action,) = named
    options["prefix" if action == "snapshot" else "folder"] = given[action]
    if "fields" in options:
        options["fields"] = split_names(options["fields"])
    if "where" in options:
        options["where"] = list(options["where"])
    if action == "export" and sources is not None:
        options["sources"] = sources
        sources = None
    return action, options, sources


def what(schedule: Schedule) -> str:
    """Say what a schedule does."""
    options = schedule.options
    match schedule.action:
        case "snapshot":
            return f"snapshot {options['prefix']}"
        case "backup":
            return f"backup to {options['folder']}"
        case "export":
            return f"export to {options['folder']}"
    return "all sources" if schedule.sources is None else ", ".join(schedule.sources)


def details(schedule: Schedule) -> str:
    """Say which options a schedule has, beside what :func:`what` says."""
    told = {"prefix", "folder"}
    found = [
        f"{name.replace('_', ' ')} {', '.join(value) if isinstance(value, list) else value}"
        for name, value in schedule.options.items()
        if name not in told and value not in (None, [])
    ]
    return "; ".join(found)


def outcome(tick: Tick | None, here: Callable[[Any], str]) -> str:
    """Say what became of a tick.

    Args:
        tick: None if there was none yet.
        here: writes a time in the time zone of this host.
    """
    if tick is None:
        return "-"
    match tick.outcome:
        case "ran":
            return f"ran as run {tick.run_id}"
        case "running":
            return f"running since {here(tick.at)}, worker {tick.worker_id}"
        case "waiting" if tick.failures and tick.not_before is not None:
            return f"failed, is tried again at {here(tick.not_before)}: {tick.reason}"
        case "waiting":
            return "waiting for a worker"
    return f"{tick.outcome}: {tick.reason}"
