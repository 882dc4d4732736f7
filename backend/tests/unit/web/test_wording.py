from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.web import wording

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class _Clock(datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW.astimezone(tz)


@pytest.fixture(autouse=True)
def _now(monkeypatch) -> None:
    monkeypatch.setattr(wording, "datetime", _Clock)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "less than a minute ago"),
        (59, "less than a minute ago"),
        (60, "1 minute ago"),
        (5_399, "89 minutes ago"),
        (5_400, "1 hour ago"),
        (172_799, "47 hours ago"),
        (172_800, "2 days ago"),
        (86_400 * 2_000, "2,000 days ago"),
        (-300, "in 5 minutes"),
    ],
)
def test_a_time_is_shown_with_its_distance_from_now(seconds, said) -> None:
    assert f">{said}</span>" in wording.when(NOW - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "-"), (0.42, "0.4 s"), (9_000, "2.5 h"), (21_600, "6 h"), (86_400, "24 h")],
)
def test_a_duration_has_only_meaningful_digits(seconds, said) -> None:
    assert wording.duration(seconds) == said


def test_a_time_is_shown_with_its_zone_and_for_programs() -> None:
    berlin = datetime(2026, 11, 24, 12, 30, tzinfo=timezone(timedelta(hours=1)))

    shown = wording.when(berlin)

    assert '<time datetime="2026-11-24T11:30:00+00:00">2026-11-24 11:30:00 UTC</time>' in shown


def test_a_missing_time_is_named() -> None:
    assert wording.when(None, "not yet") == "<span>not yet</span>"
    assert wording.when(None, "<b>") == "<span>&lt;b&gt;</span>"


def test_numbers_have_separators_and_nouns() -> None:
    assert wording.count(12_345) == "12,345"
    assert wording.count(None) == "-"
    assert wording.words(1, "run") == "1 run"
    assert wording.words(2_000, "run") == "2,000 runs"
    assert wording.words(2, "query", "queries") == "2 queries"
