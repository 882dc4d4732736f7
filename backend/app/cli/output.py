"""Writes results to stdout and notes to stderr, and formats values for people."""

import json
import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.core.runs.actors import shown
from app.core.runs.shapes import Run, RunEvent, SourceProgress
from app.core.text.field_docs import View
from app.core.text.printable import printable, printable_json
from app.core.text.words import size

as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON, for programs.")


_WIDTH_OF_A_PIPE = 10_000


class _Console(Console):
    """Escapes control characters."""

    def render_str(self, text: str, **how: Any) -> Text:
        """See :meth:`rich.console.Console.render_str`."""
        return super().render_str(printable(text), **how)


def stdout() -> Console:
    """Return the console for results. In a pipe, it writes no colours and wraps no lines."""
    console = _Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_PIPE
    return console


def stderr() -> Console:
    """Return the console for notes and progress."""
    return _Console(stderr=True, highlight=False, markup=False, emoji=False)


def write_json(view: View) -> None:
    """Write an object to stdout as JSON."""
    click.echo(printable_json(view.model_dump_json(indent=2)))


def write_json_list(views: Iterable[View]) -> None:
    """Write objects to stdout as a JSON list."""
    found = [view.model_dump(mode="json") for view in views]
    click.echo(printable_json(json.dumps(found, indent=2, ensure_ascii=False)))


def say(line: str) -> None:
    """Write a line of the result to stdout."""
    click.echo(printable(line))


def note(line: str) -> None:
    """Write a line to stderr that is not part of the result."""
    click.echo(printable(line), err=True)


def duration(seconds: float | None) -> str:
    """Format a duration: ``1 h 02 min``, ``3 min 20 s``, ``0.4 s``; a dash if it is unknown."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    seconds = max(seconds, 0)  # the clock may have been set back
    if seconds < 10:  # noqa: PLR2004 - below, tenths matter
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def local_time(at: datetime | None) -> str:
    """Format a time in the user's time zone; a dash if there is none."""
    return "-" if at is None else f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def count(number: int | None) -> str:
    """Format a number with thousands separators; a dash if it is unknown."""
    return "-" if number is None else f"{number:,}"


def source_names(sources: Iterable[str] | None) -> str:
    """Return the names of the requested sources."""
    return "all" if sources is None else ", ".join(sources)


def table(*columns: str, right: Iterable[str] = (), gap: int = 2) -> Table:
    """Return an empty table that wraps long cells.

    Args:
        columns: the headings.
        right: the headings of the right-aligned columns.
        gap: the number of spaces between columns.
    """
    empty = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0))
    for name in columns:
        empty.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return empty


def cells(*values: object) -> list[Text]:
    """Return table cells without markup and control characters."""
    return [Text(printable(str(value))) for value in values]


def progress_table(sources: Sequence[SourceProgress]) -> Table:
    """Return a table with one row per source. The column of changes appears if there are any."""
    shows_changes = any(source.changed for source in sources)
    changed = ("changed",) if shows_changes else ()
    numbers = ("genes", "done", "found", "absent", "unknown", *changed, "requests", "time")
    # a narrow gap, so that the table fits into 80 columns
    found = table("source", "state", *numbers, right=numbers, gap=1)
    for source in sources:
        found.add_row(
            *cells(
                source.source,
                source.state,
                count(source.total),
                count(source.done),
                count(source.found),
                count(source.absent),
                count(source.unknown),
                *([count(source.changed)] if shows_changes else []),
                count(source.requests),
                duration(source.seconds),
            )
        )
    return found


def traffic_table(sources: Iterable[SourceProgress]) -> Table:
    """Return a table with the requests, waiting times and traffic of each source."""
    numbers = ("requests", "status 429", "waited for the budget", "received")
    found = table("source", *numbers, right=numbers)
    for source in sources:
        found.add_row(
            *cells(
                source.source,
                count(source.requests),
                count(source.rate_limited),
                duration(source.budget_seconds),
                size(source.bytes_received),
            )
        )
    return found


def event_line(event: RunEvent) -> str:
    """Format an event: its name, the actor, the epoch, the details and the reason."""
    who = shown(event)
    by = f" by {who}" if event.actor else f" (actor {who})" if who else ""
    detail = {"epoch": event.epoch, **event.detail}
    reason = detail.pop("reason", None)
    details = [f"{key.replace('_', ' ')} {_in_line(value)}" for key, value in detail.items()]
    return f"{event.event}{by}: {', '.join([*details, reason] if reason else details)}"


def _in_line(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name!r} ({each})" for name, each in value.items())
    if isinstance(value, list):
        # only the names of held files, because the reason contains their numbers
        return ", ".join(str(item["name"] if isinstance(item, dict) else item) for item in value)
    return str(value)


def start_command(*, arq: bool) -> str:
    """Return the command that starts a process that executes runs.

    Args:
        arq: whether arq workers execute the runs. If not, the API executes them as well.
    """
    return "make worker" if arq else "make worker, or make api"


def nothing_due_note(run: Run) -> str | None:
    """Return a note for a run that had nothing to refresh; None for any other run."""
    if run.state != "succeeded" or any(source.total != source.confirmed for source in run.progress):
        return None
    if run.mode == "full":
        return None
    names = "".join(f" {name}" for name in run.sources or ())
    return f"nothing new; to refresh all annotations anyway: just annotate{names} --mode full"


def headline(run: Run) -> str:
    """Describe a run and its state in one line."""
    genes = "" if run.genes is None else f", {run.genes:,} {'gene' if run.genes == 1 else 'genes'}"
    line = f"run {run.id} ({source_names(run.sources)}, {run.mode}{genes}) "
    line += {"succeeded": "succeeded", "failed": "failed", "cancelled": "was cancelled"}.get(
        run.state, f"is {run.state}"
    )
    if run.waiting_for is not None:
        line += f", waiting for {run.waiting_for}"
    if run.not_before is not None:
        line += f", not before {local_time(run.not_before)}"
    return line
