"""Looks on while a run is executed."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Sequence
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from app.cli.output import count, in_words, stderr, what_happened
from app.cli.session import Session
from app.cli.speed import Speed
from app.core.postgres.away import LOST_DATABASE, is_away
from app.core.runs import views
from app.core.runs.views import Run, SourceProgress

ENDED = frozenset({"succeeded", "failed", "cancelled"})

LOOK = 0.5
"""Seconds between two looks."""

EVERY = 5.0
"""Seconds between two lines on a source, when they cannot be drawn over."""

MOST_EVENTS = 10
"""Events told at a look; of a run that was there before, the last ones."""


async def watch(session: Session, run_id: int) -> Run:
    """Show a run's progress on stderr until it has ended.

    Raises:
        NotFound: no such run.
    """
    console = stderr()
    last_event, away = 0, False
    with Bars(console) if console.is_terminal else Lines(console) as display:
        while True:
            try:
                async with session.db.connect() as connection:
                    run = await views.get_run(connection, run_id)
                    events = await views.latest_events(connection, run_id, limit=MOST_EVENTS)
            except LOST_DATABASE as error:
                if not is_away(error):
                    raise
                if not away:
                    display.say("PostgreSQL is away; still looking")
                away = True
                await asyncio.sleep(LOOK)
                continue
            away = False
            for event in events:
                if event.id > last_event:
                    display.say(f"{event.at.astimezone():%H:%M:%S} {what_happened(event)}")
                    last_event = event.id
            display.show(run.progress)
            if run.state in ENDED:
                return run
            await asyncio.sleep(LOOK)


class Display(ABC):
    """Shows how far a run is."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._speeds: defaultdict[str, Speed] = defaultdict(Speed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:  # noqa: B027 - plain lines have nothing to end
        pass

    def say(self, line: str) -> None:
        """Write something that stays."""
        # a pipe gets whole lines
        self._console.print(line, soft_wrap=not self._console.is_terminal)

    def show(self, sources: Sequence[SourceProgress]) -> None:
        """Show how far each source is."""
        for each in sources:
            speed = self._speeds[each.source]
            speed.see(each)
            self._draw(each, how_far(each, speed))

    @abstractmethod
    def _draw(self, source: SourceProgress, said: str) -> None: ...


class Bars(Display):
    """A live bar a source, for a terminal. Its length is the work expected, not the genes."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._bars = Progress(
            TextColumn("{task.description:<8}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[said]}", markup=False),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bars as they are."""
        self._bars.stop()

    def _draw(self, source: SourceProgress, said: str) -> None:
        if source.source not in self._tasks:
            self._tasks[source.source] = self._bars.add_task(source.source, said="", total=None)
        # something done in no time at all is a full bar
        done = source.state == "succeeded"
        self._bars.update(
            self._tasks[source.source],
            total=1 if done else source.weight_total or None,
            completed=1 if done else source.weight_done,
            said=said,
        )


class Lines(Display):
    """Plain lines, for a log or a pipe: on a source that is further, and at its end."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._shown: dict[str, tuple[float, SourceProgress]] = {}

    def _draw(self, source: SourceProgress, said: str) -> None:
        now = time.monotonic()
        at, before = self._shown.get(source.source, (0.0, None))
        state = "queued" if before is None else before.state
        further = before is None or source.done != before.done
        if source.state != state or (further and source.done and now - at >= EVERY):
            self._shown[source.source] = now, source
            self.say(f"{source.source}: {said}")


def how_far(progress: SourceProgress, speed: Speed) -> str:
    """Return how far a source is, in words."""
    if progress.total is None:
        return progress.state
    said = [f"{count(progress.done)} of {count(progress.total)} genes"]
    if progress.unknown:
        said.append(f"{count(progress.unknown)} unknown")
    if progress.state == "running":
        if speed.genes is not None:
            said.append(f"{speed.genes:,.0f}/s" if speed.genes >= 10 else f"{speed.genes:.1f}/s")  # noqa: PLR2004 - below, tenths are of interest
        left = speed.eta(progress)
        said.append("time left not known" if left is None else f"{in_words(left)} left")
    elif progress.seconds is None:
        said.append(progress.state)
    else:
        after = "in" if progress.state == "succeeded" else "after"
        said.append(f"{progress.state} {after} {in_words(progress.seconds)}")
    return ", ".join(said)
