from datetime import UTC, datetime, timedelta

import pytest

from app.web.timeline.ticks import MAX_TICKS, ticks_of
from app.web.timeline.window import Window, window_of, zooms

BEGIN = datetime(2026, 11, 24, 23, 50, tzinfo=UTC)
WHOLE = Window(BEGIN, BEGIN + timedelta(minutes=20))


def part(begin: float, end: float) -> Window:
    return Window(BEGIN + timedelta(seconds=begin), BEGIN + timedelta(seconds=end))


def labels(window: Window) -> list[tuple[str, str]]:
    return [(tick.label, tick.day) for tick in ticks_of(window)]


def test_the_times_at_the_axis_are_round_and_a_new_day_is_named() -> None:
    assert labels(WHOLE) == [
        ("23:50", "2026-11-24"),
        ("23:55", ""),
        ("00:00", "2026-11-25"),
        ("00:05", ""),
        ("00:10", ""),
    ]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.15, ["23:50:00.00", "23:50:00.02", "23:50:00.04"]),
        (3, ["23:50:00.00", "23:50:00.50", "23:50:01.00"]),
        (40, ["23:50:00", "23:50:05", "23:50:10"]),
        (7 * 3_600, ["00:00", "01:00", "02:00"]),
        (4 * 86_400, ["00:00", "12:00", "00:00"]),
        (6 * 86_400, ["2026-11-25", "2026-11-26", "2026-11-27"]),
    ],
)
def test_the_steps_between_times_fit_the_window(seconds: float, expected: list[str]) -> None:
    found = labels(part(0, seconds))

    assert [label for label, _ in found][:3] == expected
    assert 2 <= len(found) <= MAX_TICKS + 1


@pytest.mark.parametrize("power", range(-1, 12))
def test_no_window_has_too_many_times(power: int) -> None:
    for factor in (1, 1.7, 3, 6.1, 9.9):
        seconds = factor * 10.0**power
        if seconds < 2e11:
            assert len(ticks_of(part(0.0123, seconds + 0.0123))) <= MAX_TICKS + 1


def test_the_whole_run_can_only_be_zoomed_in() -> None:
    assert [zoom.label for zoom in zooms(WHOLE, WHOLE)] == ["Zoom in"]


def test_a_part_links_to_its_neighbours_and_to_a_wider_window() -> None:
    links = {zoom.label: zoom.query for zoom in zooms(part(400, 800), WHOLE)}

    assert list(links) == ["Zoom in", "Zoom out", "Earlier", "Later", "Whole run"]
    assert links["Zoom in"] == part(500, 700).query
    assert links["Zoom out"] == part(200, 1_000).query
    assert links["Earlier"] == part(200, 600).query
    assert links["Later"] == part(600, 1_000).query
    assert links["Whole run"] == ""


def test_zooming_out_ends_with_the_whole() -> None:
    links = {zoom.label: zoom.query for zoom in zooms(part(200, 1_000), WHOLE)}

    assert links["Zoom out"] == ""


def test_no_link_leads_before_the_start_or_below_the_shortest_window() -> None:
    links = [zoom.label for zoom in zooms(part(0, 0.15), WHOLE)]

    assert links == ["Zoom out", "Later", "Whole run"]


def test_a_query_leads_to_the_same_window() -> None:
    window = part(1.25, 7.5)

    assert window.query == ("from=2026-11-24T23%3A50%3A01.250Z&to=2026-11-24T23%3A50%3A07.500Z")
    assert window_of(WHOLE, window.begin, window.end) == window
    naive = window.begin.replace(tzinfo=None), window.end.replace(tzinfo=None)
    assert window_of(WHOLE, *naive) == window
