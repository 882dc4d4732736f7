"""The action of a schedule: the options of the command line, and its description for people."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from app.annotation.data.field_names import split_names
from app.core.errors import WrongUse
from app.core.schedules.actions import REFRESH
from app.core.schedules.views import Schedule, Tick

_OPTIONS: Sequence[Callable[[Any], Any]] = (
    click.option("--snapshot", metavar="NAME", help="Take snapshots such as NAME-2026-11-01."),
    click.option("--note", help="The reason of the snapshots."),
    click.option("--backup", metavar="FOLDER", help="Write backups to this folder."),
    click.option("--export", metavar="FOLDER", help="Write exports to this folder."),
    click.option(
        "--keep-daily", type=int, help="Days to keep; by default 7 for backups, all for exports."
    ),
    click.option(
        "--keep-weekly", type=int, help="Weeks to keep; by default 4 for backups, all for exports."
    ),
    click.option("--format", metavar="FORMAT", help="The format of the export; by default tsv."),
    click.option("--fields", metavar="FIELD,...", help="Export only these fields."),
    click.option("--list", metavar="NAME", help="Export only the genes of this list."),
    click.option(
        "--where",
        multiple=True,
        metavar="CONDITION",
        help="Export only genes that satisfy CONDITION; may be repeated.",
    ),
    click.option("--long", metavar="FIELD", help="Export one row per entry of this field."),
)

_NAMES = ("snapshot", "backup", "export")


def action_options(command: Any) -> Any:
    """Add the options for the action of a schedule to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def action_of(
    given: Mapping[str, Any], sources: Sequence[str] | None
) -> tuple[str, dict[str, Any], Sequence[str] | None]:
    """Return the action, its options, and the sources of runs.

    Args:
        given: the values of the options by name.
        sources: the values of the option ``--sources``.

    Raises:
        WrongUse: several actions are given, or options without an action.
    """
    named = [name for name in _NAMES if given[name] is not None]
    options = {
        name: value
        for name, value in given.items()
        if name not in _NAMES and value is not None and value != ()
    }
    if len(named) > 1:
        raise WrongUse(
            "several actions are given", allowed=f"one of --{', --'.join(_NAMES)}, or none"
        )
    if not named:
        if options:
            first = next(iter(options)).replace("_", "-")
            raise WrongUse(
                f"--{first} without an action",
                allowed=f"--{first} together with --snapshot, --backup or --export",
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
    """Describe the action of a schedule."""
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
    """Describe the options of a schedule that :func:`what` does not mention."""
    mentioned = {"prefix", "folder"}
    found = [
        f"{name.replace('_', ' ')} {', '.join(value) if isinstance(value, list) else value}"
        for name, value in schedule.options.items()
        if name not in mentioned and value not in (None, [])
    ]
    return "; ".join(found)


def outcome(tick: Tick | None, here: Callable[[Any], str]) -> str:
    """Describe the outcome of a tick.

    Args:
        tick: the tick; None if there was none yet.
        here: formats a time in the time zone of this host.
    """
    if tick is None:
        return "-"
    match tick.outcome:
        case "ran":
            return f"ran as run {tick.run_id}"
        case "running":
            return f"running since {here(tick.at)}, worker {tick.worker_id}"
        case "waiting" if tick.failures and tick.not_before is not None:
            return f"failed, is retried at {here(tick.not_before)}: {tick.reason}"
        case "waiting":
            return "waiting for a worker"
    return f"{tick.outcome}: {tick.reason}"
