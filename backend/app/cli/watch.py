"""Shows the progress of a run until it has ended."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Sequence
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from app.cli.output import count, duration, event_line, stderr
from app.cli.session import Session
from app.cli.speed import Speed
from app.core.postgres.unavailable import DATABASE_ERRORS, is_unavailable
from app.core.runs import views
from app.core.runs.shapes import Run, SourceProgress

ENDED = frozenset({"succeeded", "failed", "cancelled"})

POLL_INTERVAL = 0.5
"""Seconds between two queries."""

LINE_INTERVAL = 5.0
"""Seconds between two lines about a source, if the output is not a terminal."""

MAX_EVENTS = 10
"""The maximum number of events shown after a query. Of an existing run, the latest are shown."""


async def watch(session: Session, run_id: int) -> Run:
    """Show a run's progress on stderr until it has ended.

    Raises:
        NotFound: there is no such run.
    """
    console = stderr()
    last_event, away = 0, False
    with Bars(console) if console.is_terminal else Lines(console) as display:
        while True:
            try:
                async with session.db.connect() as connection:
                    run = await views.get_run(connection, run_id)
                    events = await views.latest_events(connection, run_id, limit=MAX_EVENTS)
            except DATABASE_ERRORS as error:
                if not is_unavailable(error):
                    raise
                if not away:
                    display.say("PostgreSQL is unavailable; retrying")
                away = True
                await asyncio.sleep(POLL_INTERVAL)
                continue
            away = False
            for event in events:
                if event.id > last_event:
                    display.say(f"{event.at.astimezone():%H:%M:%S} {event_line(event)}")
                    last_event = event.id
            display.show(run.progress)
            if run.state in ENDED:
                return run
            await asyncio.sleep(POLL_INTERVAL)


class Display(ABC):
    """Shows the progress of a run."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._speeds: defaultdict[str, Speed] = defaultdict(Speed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:  # noqa: B027 - plain lines need no clean-up
        pass

    def say(self, line: str) -> None:
        """Write a permanent line."""
        # lines in a pipe are not wrapped
        self._console.print(line, soft_wrap=not self._console.is_terminal)

    def show(self, sources: Sequence[SourceProgress]) -> None:
        """Update the progress of each source."""
        for source in sources:
            speed = self._speeds[source.source]
            speed.record(source)
            self._draw(source, describe_progress(source, speed))

    @abstractmethod
    def _draw(self, source: SourceProgress, description: str) -> None: ...


class Bars(Display):
    """One progress bar per source, for a terminal. Its length is the expected work."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._bars = Progress(
            TextColumn("{task.description:<8}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[progress]}", markup=False),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing, and leave the bars as they are."""
        self._bars.stop()

    def _draw(self, source: SourceProgress, description: str) -> None:
        if source.source not in self._tasks:
            self._tasks[source.source] = self._bars.add_task(source.source, progress="", total=None)
        # a bar without work would stay empty, so it gets a total of 1
        done = source.state == "succeeded"
        self._bars.update(
            self._tasks[source.source],
            total=1 if done else source.weight_total or None,
            completed=1 if done else source.weight_done,
            progress=description,
        )


class Lines(Display):
    """Plain lines for a log or a pipe, about sources that made progress or changed their state."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._shown: dict[str, tuple[float, SourceProgress]] = {}

    def _draw(self, source: SourceProgress, description: str) -> None:
        now = time.monotonic()
        at, before = self._shown.get(source.source, (0.0, None))
        state = "queued" if before is None else before.state
        progressed = before is None or source.done != before.done
        if source.state != state or (progressed and source.done and now - at >= LINE_INTERVAL):
            self._shown[source.source] = now, source
            self.say(f"{source.source}: {description}")


def describe_progress(progress: SourceProgress, speed: Speed) -> str:
    """Describe the progress of a source."""
    if progress.total is None:
        return progress.state
    parts = [f"{count(progress.done)} of {count(progress.total)} genes"]
    if progress.unknown:
        parts.append(f"{count(progress.unknown)} unknown")
    if progress.state == "running":
        if speed.genes is not None:
            parts.append(f"{speed.genes:,.0f}/s" if speed.genes >= 10 else f"{speed.genes:.1f}/s")  # noqa: PLR2004 - below, tenths matter
        left = speed.eta(progress)
        parts.append("time left unknown" if left is None else f"{duration(left)} left")
    elif progress.seconds is None:
        parts.append(progress.state)
    else:
        after = "in" if progress.state == "succeeded" else "after"
        parts.append(f"{progress.state} {after} {duration(progress.seconds)}")
    return ", ".join(parts)
