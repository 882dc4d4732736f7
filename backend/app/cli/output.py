"""How things are written for people: tables on stdout, notes on stderr, times in words."""

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.core.printable import printable, printable_json
from app.core.runs.views import Run, RunEvent, SourceProgress, View

as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON, for programs.")


class _Console(Console):
    """Spells out control characters in the strings that it writes."""

    def render_str(self, text: str, **how: Any) -> Text:
        """Return what is written for a string."""
        return super().render_str(printable(text), **how)


def stdout() -> Console:
    """Return the console of results; what it writes is the same in a pipe, but for colours."""
    return _Console(highlight=False, markup=False, emoji=False)


def stderr() -> Console:
    """Return the console of notes and progress."""
    return _Console(stderr=True, highlight=False, markup=False, emoji=False)


def write_json(view: View) -> None:
    """Write an object to stdout."""
    click.echo(printable_json(view.model_dump_json(indent=2)))


def say(line: str) -> None:
    """Write a line of the result."""
    click.echo(printable(line))


def note(line: str) -> None:
    """Tell the user something that is no result."""
    click.echo(printable(line), err=True)


def in_words(seconds: float | None) -> str:
    """Return a duration as people say it: ``1 h 02 min``, ``3 min 20 s``, ``0.4 s``."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    seconds = max(seconds, 0)  # of a clock that was set back
    if seconds < 10:  # noqa: PLR2004 - below, tenths are of interest
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def local(at: datetime | None) -> str:
    """Return a time in the user's own time zone."""
    return "-" if at is None else f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def count(number: int | None) -> str:
    """Return a number with its thousands set apart, or a dash."""
    return "-" if number is None else f"{number:,}"


def names(sources: Iterable[str] | None) -> str:
    """Return what was requested."""
    return "all" if sources is None else ", ".join(sources)


def table(*columns: str, right: Iterable[str] = ()) -> Table:
    """Return an empty table whose cells are folded and never cut off.

    Args:
        columns: their headings.
        right: those that hold numbers.
    """
    empty = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        empty.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return empty


def cells(*values: object) -> list[Text]:
    """Return cells that mean nothing but what they say, whatever characters are in them."""
    return [Text(printable(str(value))) for value in values]


def progress_table(sources: Iterable[SourceProgress]) -> Table:
    """Return a row a source."""
    numbers = ("genes", "done", "found", "absent", "unknown", "requests", "time")
    found = table("source", "state", *numbers, right=numbers)
    for each in sources:
        found.add_row(
            *cells(
                each.source,
                each.state,
                count(each.total),
                count(each.done),
                count(each.found),
                count(each.absent),
                count(each.unknown),
                count(each.requests),
                in_words(each.seconds),
            )
        )
    return found


def what_happened(event: RunEvent) -> str:
    """Return an event in a line: what, under which epoch, the details, and the reason at last."""
    detail = {"epoch": event.epoch, **event.detail}
    reason = detail.pop("reason", None)
    said = [f"{key.replace('_', ' ')} {_in_line(value)}" for key, value in detail.items()]
    return f"{event.event}: {', '.join([*said, reason] if reason else said)}"


def _in_line(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name!r} ({each})" for name, each in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)


def how_to_start(*, arq: bool) -> str:
    """Return what starts something that executes runs.

    Args:
        arq: whether arq workers are meant to; otherwise the API does so too.
    """
    return "make worker" if arq else "make worker, or make api"


def nothing_was_due(run: Run) -> str | None:
    """Explain a run that had nothing to do; None of any other."""
    if run.state != "succeeded" or any(each.total or each.done for each in run.progress):
        return None
    if run.mode == "full":
        return None
    names = "".join(f" {name}" for name in run.sources or ())
    return f"everything is fresh; all is refreshed by: just annotate{names} --mode full"


def headline(run: Run) -> str:
    """Return what a run is and how it is, in a line."""
    line = f"run {run.id} ({names(run.sources)}, {run.mode}) "
    line += {"succeeded": "succeeded", "failed": "failed", "cancelled": "was cancelled"}.get(
        run.state, f"is {run.state}"
    )
    if run.waiting_for is not None:
        line += f", waiting for {run.waiting_for}"
    if run.not_before is not None:
        line += f", not before {local(run.not_before)}"
    return line
