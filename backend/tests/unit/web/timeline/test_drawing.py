from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from app.core.errors import WrongUse
from app.core.runs.events import Event
from app.core.runs.parts import SourcePart
from app.core.runs.shapes import RunEvent
from app.web.timeline import Drawing, attempts_of, draw, gaps_of
from app.web.timeline.shapes import LABELS_WIDTH, WIDTH

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


def drawn(events: list[RunEvent], **more: Any) -> Drawing:
    drawing = draw(events, at(100), **more)
    assert drawing is not None
    return drawing


def many(attempts: int, *, workers: int) -> list[RunEvent]:
    """A run that loses a worker each second, and is taken over 0.4 s later."""
    found = []
    for number in range(attempts):
        epoch, worker = number + 1, number % workers + 1
        found.append(event(number, epoch, Event.CLAIMED, worker=worker))
        found.append(event(number + 0.6, epoch, Event.LOST, worker=worker))
    return found


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


def test_a_running_attempt_has_no_end() -> None:
    (attempt,) = attempts_of(KILLED[:2])

    assert (attempt.end, attempt.outcome) == (None, "running")


def test_a_late_event_of_an_earlier_attempt_ends_no_other() -> None:
    late = [*KILLED[:4], event(13, 1, Event.FENCED), event(14, 1, Event.FAILED)]

    assert attempts_of(late)[-1].end is None


def test_events_without_the_start_of_their_attempt_are_skipped() -> None:
    assert len(attempts_of(KILLED[2:])) == 1


def test_the_drawing_is_to_scale() -> None:
    drawing = drawn(KILLED)

    first, second = drawing.bars
    (gap,) = drawing.gaps
    # 20 s in 850 units, after the names of the workers
    assert (first.x, first.width, first.kind) == (150, 425, "attempt lost")
    assert (gap.x, gap.width) == (575, 25.5)
    assert (second.x, second.width, second.kind) == (600.5, 399.5, "attempt succeeded")
    assert second.x + second.width == WIDTH
    # a row for the label of the gap; a lane has room for two lines of text
    assert (first.y, first.height, second.y) == (20, 16, 56)
    assert (drawing.top, drawing.bottom, drawing.height) == (20, 92, 126)
    assert (gap.y, gap.height) == (20, 72)


def test_a_time_at_the_end_of_the_axis_is_written_inside() -> None:
    first, *_, last = drawn(KILLED, begin=at(10), end=at(20)).axis

    assert (first.x, first.text_x) == (LABELS_WIDTH, LABELS_WIDTH)
    assert (last.x, last.text_x) == (WIDTH, WIDTH - 8 * 6.5)


def test_the_seconds_of_a_gap_are_above_it() -> None:
    (label,) = [mark for mark in drawn(KILLED).marks if mark.kind == "gap"]

    assert (label.text, label.x, label.y) == ("0.60 s", 587.75, 12)
    assert label.title == "no worker for 0.60 s, from the loss to the next attempt"


def test_the_label_of_a_gap_at_the_edge_stays_inside() -> None:
    drawing = drawn(KILLED, begin=at(12.5), end=at(20))

    (label,) = [mark for mark in drawing.marks if mark.kind == "gap"]
    assert label.x == LABELS_WIDTH + 7 * 6.5 / 2


def test_labels_of_gaps_do_not_overlap() -> None:
    drawing = drawn(many(60, workers=2))

    labels = [mark for mark in drawing.marks if mark.kind == "gap"]
    assert len(labels) == 59
    rows: dict[float, list[float]] = {}
    for label in labels:
        rows.setdefault(label.y, []).append(label.x)
    for places in rows.values():
        assert all(b - a >= 7 * 6.5 - 0.01 for a, b in pairwise(places))
    assert drawing.top == 5 + 15 * len(rows)


def test_a_lane_has_the_host_of_its_worker() -> None:
    long = "ip-10-0-0-1.eu-central-1.compute.internal"
    marks = drawn(KILLED, hosts={4: "lab3", 5: long}).marks

    named = [(mark.text, mark.y) for mark in marks if mark.kind in {"worker", "host"}]
    assert named == [
        ("worker 4", 32),
        ("lab3", 46),
        ("worker 5", 68),
        ("ip-10-0-0-1.eu-cent…", 82),
    ]
    assert [mark.title for mark in marks if mark.kind == "host"] == ["lab3", long]


def test_each_attempt_has_a_bar_for_each_of_its_sources() -> None:
    parts = [
        SourcePart("hgnc", at(2), at(4), "succeeded"),
        SourcePart("clinvar", at(3), None, "running"),
        SourcePart("gtex", at(4), at(6), "held"),
        SourcePart("clinvar", at(13), at(22), "succeeded"),
    ]

    drawing = drawn(KILLED, parts=parts)

    bars = [(bar.title, bar.kind, bar.x, bar.width, bar.y) for bar in drawing.bars]
    assert bars[1:4] == [
        ("hgnc succeeded, 2.0 s", "source succeeded", 150, 85, 38),
        # it was still running when its worker was lost, and overlaps the others
        ("clinvar lost, 9.0 s", "source lost", 192.5, 382.5, 44),
        ("gtex held, 2.0 s", "source held", 235, 85, 38),
    ]
    assert bars[5] == ("clinvar succeeded, 9.0 s", "source succeeded", 617.5, 382.5, 80)
    assert drawing.descriptions[0].text == "attempt under epoch 1 on worker 4: lost, 10 s"
    assert (
        drawing.descriptions[0].more
        == "hgnc succeeded, 2.0 s; clinvar lost, 9.0 s; gtex held, 2.0 s"
    )


def test_sources_are_drawn_where_there_is_room() -> None:
    parts = [SourcePart("hgnc", at(number + 0.1), None, "running") for number in range(200)]
    whole = drawn(many(200, workers=3), parts=parts)
    closer = drawn(many(200, workers=3), parts=parts, begin=at(100), end=at(110))

    assert len(whole.bars) == 200
    assert "The sources of 200 attempts are too narrow to be drawn. Zoom in." in whole.notes
    assert len(closer.bars) == 2 * 11 - 1


def test_a_running_attempt_is_drawn_until_now() -> None:
    parts = [SourcePart("hgnc", at(4), None, "running")]

    attempt, source = drawn(KILLED[:2], parts=parts).bars

    assert (attempt.kind, source.kind) == ("attempt running", "source running")
    assert attempt.x + attempt.width == source.x + source.width == WIDTH


def test_a_window_shows_a_part_to_scale() -> None:
    drawing = drawn(KILLED, begin=at(10), end=at(14))

    first, second = drawing.bars
    (gap,) = drawing.gaps
    assert (first.x, first.width) == (150, 425)
    assert (gap.x, gap.width) == (575, 127.5)
    assert (second.x, second.width) == (702.5, 297.5)


def test_lanes_without_an_attempt_in_the_window_are_omitted() -> None:
    drawing = drawn(KILLED, begin=at(14), end=at(20))

    assert [mark.text for mark in drawing.marks] == ["worker 5"]
    assert drawing.gaps == []


def test_a_window_in_which_nothing_happened_says_so() -> None:
    drawing = drawn(KILLED, begin=at(23), end=at(30))

    assert drawing.bars == []
    assert drawing.notes == ["There is no attempt in this period."]


def test_the_last_lane_is_shared_by_the_remaining_workers() -> None:
    drawing = drawn(many(200, workers=100))

    lanes = [mark for mark in drawing.marks if mark.kind == "worker"]
    assert len(lanes) == 30
    assert (lanes[0].text, lanes[-1].text) == ("worker 1", "71 others")
    assert len(drawing.bars) == 200
    assert drawing.height < 1_300


def test_notes_name_what_the_drawing_omits() -> None:
    drawing = drawn(many(200, workers=3), left_out=True)

    assert drawing.notes[0] == (
        "Events before 2026-11-24 12:00:00 UTC are not drawn: the timeline has the last 400."
    )
    unlabelled = 199 - len([mark for mark in drawing.marks if mark.kind == "gap"])
    assert drawing.notes[1].startswith(f"{unlabelled} gaps are too close")
    assert drawing.notes[2].startswith("339 earlier attempts and gaps are drawn but not listed")
    later = drawn(many(200, workers=3), left_out=True, begin=at(190), end=at(195))
    assert later.notes == []


def test_each_line_of_the_text_zooms_to_its_attempt_or_gap() -> None:
    descriptions = drawn(KILLED).descriptions

    assert descriptions[1].text == "no worker for 0.60 s, from the loss to the next attempt"
    query = "from=2026-11-24T12%3A00%3A11.970Z&to=2026-11-24T12%3A00%3A12.630Z"
    assert descriptions[1].query == query


def test_a_run_without_an_attempt_has_no_drawing() -> None:
    assert draw(KILLED[:1], at(100)) is None


@pytest.mark.parametrize(
    ("begin", "end"),
    [(10, 5), (10, 10.05), (-1_000, -900), (1_000, 2_000), (None, -5)],
)
def test_an_impossible_window_is_refused(begin: float | None, end: float | None) -> None:
    with pytest.raises(WrongUse, match="the timeline from"):
        drawn(
            KILLED,
            begin=None if begin is None else at(begin),
            end=None if end is None else at(end),
        )


def test_a_window_of_all_time_ends_near_the_run() -> None:
    first, last = (datetime(year, 1, 1, tzinfo=UTC) for year in (1, 9999))

    window = drawn(KILLED, begin=first, end=last).window

    assert (window.begin, window.end) == (at(-18), at(42))
