from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from app.core.runs.events import Event
from app.core.runs.views import RunEvent
from app.web.timeline import WIDTH, attempts_of, draw, gaps_of

BEGIN = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def event(seconds: float, epoch: int, name: Event, **detail: Any) -> RunEvent:
    return RunEvent(id=0, at=at(seconds), epoch=epoch, event=name, actor=None, detail=detail)


KILLED = [
    event(0, 1, Event.CREATED),
    event(2, 1, Event.CLAIMED, worker=4),
    event(12, 1, Event.LOST, worker=4),
    event(12.6, 2, Event.TAKEN_OVER, worker=5),
    event(22, 2, Event.SUCCEEDED, worker=5),
]


def test_an_attempt_lasts_from_its_claim_to_its_end() -> None:
    first, second = attempts_of(KILLED)

    assert (first.worker, first.begin, first.end, first.outcome) == (4, at(2), at(12), "lost")
    assert (second.worker, second.begin, second.end) == (5, at(12.6), at(22))
    assert second.outcome == "succeeded"


def test_the_gap_after_a_loss_has_its_seconds() -> None:
    (gap,) = gaps_of(attempts_of(KILLED))

    assert gap.seconds == 0.6


def test_a_wait_between_two_attempts_is_no_gap() -> None:
    waited = [
        event(0, 1, Event.CLAIMED, worker=4),
        event(5, 1, Event.WAITING, worker=4),
        event(60, 2, Event.CLAIMED, worker=4),
    ]

    assert gaps_of(attempts_of(waited)) == []


def test_an_attempt_that_goes_on_has_no_end() -> None:
    (attempt,) = attempts_of(KILLED[:2])

    assert (attempt.end, attempt.outcome) == (None, "running")


def test_a_late_event_of_an_earlier_attempt_ends_no_other() -> None:
    late = [*KILLED[:4], event(13, 1, Event.FENCED), event(14, 1, Event.FAILED)]

    assert attempts_of(late)[-1].end is None


def test_events_whose_beginning_was_removed_are_passed_over() -> None:
    assert len(attempts_of(KILLED[2:])) == 1


def test_the_drawing_is_to_scale() -> None:
    run: Any = SimpleNamespace(progress=[])

    drawing = draw(run, KILLED, at(100))

    assert drawing is not None
    first, second = drawing.bars
    (gap,) = drawing.gaps
    # 20 s in 910 units, after the names of the workers
    assert (first.x, first.width) == (90, 455)
    assert (gap.x, gap.width) == (545, 27.3)
    assert (second.x, second.width) == (572.3, 427.7)
    assert second.x + second.width == WIDTH
    assert first.y < second.y
    assert drawing.summary[2] == "no worker for 0.60 s, from the loss to the next attempt"


def test_each_source_of_the_latest_attempt_has_a_bar() -> None:
    source = SimpleNamespace(source="hgnc", state="succeeded", seconds=4.0, finished_at=at(20))
    earlier = SimpleNamespace(source="gtex", state="succeeded", seconds=4.0, finished_at=at(8))
    run: Any = SimpleNamespace(progress=[source, earlier])

    drawing = draw(run, KILLED, at(100))

    assert drawing is not None
    (bar,) = drawing.bars[2:]
    assert (bar.title, bar.x, bar.width) == ("hgnc: succeeded, 4.0 s", 727, 182)


def test_a_run_without_an_attempt_has_no_drawing() -> None:
    run: Any = SimpleNamespace(progress=[])

    assert draw(run, KILLED[:1], at(100)) is None
