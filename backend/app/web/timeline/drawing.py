from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.core.runs.parts import SourcePart
from app.core.runs.shapes import RunEvent
from app.core.text.words import shortened, time_span
from app.web.bars import Bar
from app.web.timeline.gaps import describe_gap, draw_gaps
from app.web.timeline.history import AttemptSpan, Gap, SourceSpan, attempts_of, gaps_of, sources_of
from app.web.timeline.rows import in_rows
from app.web.timeline.shapes import WIDTH, Description, Drawing, Line, Mark, Scale
from app.web.timeline.ticks import ticks_of
from app.web.timeline.window import Window, close_to, whole_of, window_of, zooms

ATTEMPT_HEIGHT = 16.0
"""The height of the bar of an attempt."""

SOURCE_HEIGHT = 5.0
"""The height of the bar of a source, below that of its attempt."""

LANE_GAP = 12.0
"""The space between two lanes."""

TIMES_HEIGHT = 34.0
"""The height of the axis below the lanes."""

MIN_WIDTH_FOR_SOURCES = 10.0
"""The width of an attempt below which its sources are not drawn."""

MAX_LANES = 30
"""Maximum number of lanes. Further workers share the last lane."""

MAX_ROWS = 15
"""Maximum number of rows of sources below an attempt."""

MAX_DESCRIBED = 60
"""Maximum number of attempts and gaps in the text version."""

Lane = int | str | None
"""The worker of a lane, None if it is not known, or the name of the lane for all others."""

_MAX_HOST_CHARS = 20
"""The number of characters of a host name that fit next to a lane."""


@dataclass(frozen=True, slots=True)
class _DrawnAttempt:
    """An attempt in the window, with its sources and their rows."""

    attempt: AttemptSpan
    end: datetime
    sources: Sequence[SourceSpan]
    rows: Sequence[tuple[int, SourceSpan]]

    @property
    def height(self) -> float:
        """The height of its bar and the bars of its sources."""
        rows = 1 + max((row for row, _ in self.rows), default=-1)
        return ATTEMPT_HEIGHT + 2 + rows * (SOURCE_HEIGHT + 1)

    @property
    def title(self) -> str:
        """The attempt in words."""
        attempt = self.attempt
        lasted = time_span((self.end - attempt.begin).total_seconds())
        words = f"attempt under epoch {attempt.epoch} on worker {attempt.worker}:"
        return f"{words} {attempt.outcome}, {lasted}"


def draw(
    events: Sequence[RunEvent],
    now: datetime,
    *,
    parts: Sequence[SourcePart] = (),
    hosts: Mapping[int, str] | None = None,
    begin: datetime | None = None,
    end: datetime | None = None,
    left_out: bool = False,
) -> Drawing | None:
    """Draw a run. Return None if it has had no attempt.

    Args:
        events: the events of the run, in order.
        now: the end of an attempt that is still running.
        parts: the periods of sources in attempts.
        hosts: the hosts of the workers, by their ids.
        begin: the start of the window; None means the start of the run.
        end: the end of the window; None means the end of the run.
        left_out: whether earlier events of the run are missing.

    Raises:
        WrongUse: the window is not valid.
    """
    attempts = attempts_of(events)
    if not attempts:
        return None
    whole = whole_of(attempts, now)
    window = window_of(whole, begin, end)
    scale = Scale(window)
    shown = [
        _show(attempt, parts, window, now, scale)
        for attempt in attempts
        if window.meets(attempt.begin, attempt.end or now)
    ]
    lanes = _lanes(shown)
    places, height = _places(lanes)
    gaps_shown = [gap for gap in gaps_of(attempts) if window.meets(gap.begin, gap.end)]
    gaps = draw_gaps(gaps_shown, scale, height)
    descriptions = _descriptions(shown, gaps_shown)
    marks = [
        mark
        for lane, members in lanes.items()
        for mark in _named(lane, members, hosts or {}, gaps.top + places[lane])
    ]
    bars = [
        bar
        for lane, members in lanes.items()
        for member in members
        for bar in _bars(member, scale, gaps.top + places[lane])
    ]
    return Drawing(
        width=WIDTH,
        height=gaps.top + height + TIMES_HEIGHT,
        top=gaps.top,
        bottom=gaps.top + height,
        window=window,
        marks=[*marks, *gaps.marks],
        bars=bars,
        gaps=gaps.bars,
        axis=[Line(scale.x(tick.at), tick) for tick in ticks_of(window)],
        zooms=zooms(window, whole),
        descriptions=descriptions,
        notes=_notes(
            events,
            nothing=not shown,
            left_out=left_out and window.begin <= whole.begin,
            unlabelled=gaps.unlabelled,
            undescribed=len(shown) + len(gaps_shown) - len(descriptions),
            narrow=sum(bool(each.sources) and not each.rows for each in shown),
        ),
    )


def _show(
    attempt: AttemptSpan, parts: Sequence[SourcePart], window: Window, now: datetime, scale: Scale
) -> _DrawnAttempt:
    sources = sources_of(attempt, parts, now)
    end = attempt.end or now
    if scale.x(end) - scale.x(attempt.begin) < MIN_WIDTH_FOR_SOURCES:
        return _DrawnAttempt(attempt, end, sources, ())
    inside = [source for source in sources if window.meets(source.begin, source.end)]
    rows, _ = in_rows(
        inside, lambda each: (each.begin.timestamp(), each.end.timestamp()), max_rows=MAX_ROWS
    )
    return _DrawnAttempt(attempt, end, sources, rows)


def _lanes(shown: Sequence[_DrawnAttempt]) -> dict[Lane, list[_DrawnAttempt]]:
    """Return the attempts by lane, the lane of the first attempt first."""
    workers = list(dict.fromkeys(each.attempt.worker for each in shown))
    own = set(workers if len(workers) <= MAX_LANES else workers[: MAX_LANES - 1])
    lanes: dict[int | str | None, list[_DrawnAttempt]] = {}
    for each in shown:
        worker = each.attempt.worker
        name = worker if worker in own else f"{len(workers) - len(own)} others"
        lanes.setdefault(name, []).append(each)
    return lanes


def _places(
    lanes: Mapping[Lane, Sequence[_DrawnAttempt]],
) -> tuple[dict[Lane, float], float]:
    """Return the top of each lane, and the total height."""
    places, height = {}, 0.0
    for lane, members in lanes.items():
        places[lane] = height
        # room for two lines of text
        height += max(*(member.height for member in members), 2 * LANE_GAP) + LANE_GAP
    return places, height


def _named(
    lane: Lane, members: Sequence[_DrawnAttempt], hosts: Mapping[int, str], y: float
) -> list[Mark]:
    if isinstance(lane, str):
        numbers = sorted({str(member.attempt.worker) for member in members})
        return [Mark(0, y + 12, lane, "worker", "workers " + ", ".join(numbers))]
    host = hosts.get(lane, "") if lane is not None else ""
    found = [
        Mark(
            0,
            y + 12,
            f"worker {lane}",
            "worker",
            f"worker {lane} on {host or 'a host that is not known any more'}",
        )
    ]
    if host:
        found.append(Mark(0, y + 26, shortened(host, _MAX_HOST_CHARS), "host", host))
    return found


def _bars(shown: _DrawnAttempt, scale: Scale, y: float) -> list[Bar]:
    attempt = shown.attempt
    bars = scale.bar(
        attempt.begin,
        shown.end,
        y=y,
        height=ATTEMPT_HEIGHT,
        kind=f"attempt {attempt.outcome}",
        title=shown.title,
    )
    for row, each in shown.rows:
        top = y + ATTEMPT_HEIGHT + 2 + row * (SOURCE_HEIGHT + 1)
        bars += scale.bar(
            each.begin,
            each.end,
            y=top,
            height=SOURCE_HEIGHT,
            kind=f"source {each.state}",
            title=_describe_source(each),
        )
    return bars


def _describe_source(each: SourceSpan) -> str:
    return f"{each.source} {each.state}, {time_span((each.end - each.begin).total_seconds())}"


def _descriptions(shown: Sequence[_DrawnAttempt], gaps: Sequence[Gap]) -> list[Description]:
    """Return the latest attempts and gaps in words, in order."""
    both: list[_DrawnAttempt | Gap] = sorted([*gaps, *shown], key=_order)
    return [
        Description(describe_gap(each), close_to(each.begin, each.end).query)
        if isinstance(each, Gap)
        else Description(
            each.title,
            close_to(each.attempt.begin, each.end).query,
            "; ".join(map(_describe_source, each.sources)),
        )
        for each in both[-MAX_DESCRIBED:]
    ]


def _order(each: _DrawnAttempt | Gap) -> tuple[datetime, bool]:
    """Return the sort key: the time, with a gap before the attempt that ends it."""
    if isinstance(each, Gap):
        return each.begin, False
    return each.attempt.begin, True


def _notes(
    events: Sequence[RunEvent],
    *,
    nothing: bool,
    left_out: bool,
    unlabelled: int,
    undescribed: int,
    narrow: int,
) -> list[str]:
    notes = []
    if nothing:
        notes.append("There is no attempt in this period.")
    if left_out:
        first = f"{events[0].at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        notes.append(
            f"Events before {first} are not drawn: the timeline has the last {len(events):,}."
        )
    if unlabelled:
        notes.append(f"{unlabelled:,} gaps are too close together to be labelled. Zoom in.")
    if undescribed:
        notes.append(
            f"{undescribed:,} earlier attempts and gaps are drawn but not listed below. Zoom in."
        )
    if narrow:
        notes.append(f"The sources of {narrow:,} attempts are too narrow to be drawn. Zoom in.")
    return notes
