import io

import pytest
from rich.console import Console

from app.cli import speed, watch
from app.cli.speed import Speed
from app.cli.watch import Bars, Lines, describe_progress
from app.core.runs.shapes import SourceProgress


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(speed, "time", clock)
    monkeypatch.setattr(watch, "time", clock)
    return clock


def progress(done: int = 0, *, state: str = "running", total: int | None = 1_000, **more):
    values = {
        "source": "clinvar",
        "state": state,
        "total": total,
        "done": done,
        "found": done,
        "absent": 0,
        "unknown": 0,
        "confirmed": 0,
        "changed": 0,
        "requests": 0,
        "rate_limited": 0,
        "budget_seconds": 0.0,
        "bytes_received": 0,
        "weight_total": None if total is None else 10 * total,
        "weight_done": 10 * done,
        "started_at": None,
        "finished_at": None,
        "seconds": 20.0,
        "speed": None,
        "eta": None,
    }
    return SourceProgress(**values | more)


def test_a_rate_and_an_eta_are_computed_from_observations(clock) -> None:
    seen = Speed()
    seen.record(progress(0))
    assert (seen.genes, seen.eta(progress(0))) == (None, None)
    clock.now += 10
    seen.record(progress(200))
    assert seen.genes == 20
    assert seen.eta(progress(200)) == 40
    assert describe_progress(progress(200), seen) == "200 of 1,000 genes, 20/s, 40 s left"


def test_a_rate_ignores_old_observations(clock) -> None:
    seen = Speed()
    for second in range(100):
        seen.record(progress(min(50, second)))
        clock.now += 1
    assert seen.genes is None
    assert describe_progress(progress(50), seen) == "50 of 1,000 genes, time left unknown"


def test_describe_progress_a_source_is() -> None:
    assert describe_progress(progress(state="queued", total=None), Speed()) == "queued"
    ended = progress(1_000, state="succeeded", unknown=3)
    assert describe_progress(ended, Speed()) == "1,000 of 1,000 genes, 3 unknown, succeeded in 20 s"
    stopped = progress(500, state="cancelled")
    assert describe_progress(stopped, Speed()) == "500 of 1,000 genes, cancelled after 20 s"
    waiting = progress(500, state="queued", seconds=None)
    assert describe_progress(waiting, Speed()) == "500 of 1,000 genes, queued"


def test_plain_output_has_few_lines(clock) -> None:
    console = Console(file=io.StringIO(), width=80)
    with Lines(console) as lines:
        lines.say("12:00:00 started")
        lines.show([progress(state="queued", total=None)])
        for done in range(0, 1_000, 10):
            lines.show([progress(done)])
            clock.now += 0.5
        lines.show([progress(1_000, state="succeeded")])
    said = console.file.getvalue().splitlines()
    assert said[0] == "12:00:00 started"
    assert said[1].startswith("clinvar: 0 of 1,000")
    assert said[-1].startswith("clinvar: 1,000 of 1,000 genes, succeeded")
    assert len(said) == 3 + 9


def test_bars_show_genes_rate_and_time_left(clock) -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, no_color=True)
    with Bars(console) as bars:
        bars.say("12:00:00 started")
        bars.show([progress(0), progress(source="hgnc", state="queued", total=None)])
        clock.now += 10
        bars.show([progress(500), progress(source="hgnc", state="queued", total=None)])
    text = console.file.getvalue()
    assert "12:00:00" in text
    assert "500 of 1,000 genes, 50/s, 10 s left" in text
    assert "queued" in text
