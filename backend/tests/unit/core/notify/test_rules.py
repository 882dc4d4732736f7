"""Which kinds are told, and when."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from app.core.notify.message import Kind
from app.core.notify.rules import SENT, Rules, RuleSettings

BERLIN = ZoneInfo("Europe/Berlin")
QUIET = Rules(quiet=(time(22), time(7)), zone=BERLIN)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        # in winter, Berlin is an hour ahead
        ("2026-01-10 20:59", "2026-01-10 20:59"),
        ("2026-01-10 21:00", "2026-01-11 06:00"),
        ("2026-01-11 05:59", "2026-01-11 06:00"),
        ("2026-01-11 06:00", "2026-01-11 06:00"),
        # and two hours in summer
        ("2026-07-10 20:00", "2026-07-11 05:00"),
        # the clocks are moved in the night before the end of the quiet hours
        ("2026-03-28 23:00", "2026-03-29 05:00"),
        ("2026-10-24 23:00", "2026-10-25 06:00"),
    ],
)
def test_notifications_in_quiet_hours_are_sent_at_their_end(now: str, due: str) -> None:
    assert QUIET.plan("run failed", "warning", utc(now)) == ("pending", utc(due))


def test_quiet_hours_may_be_within_a_day() -> None:
    rules = Rules(quiet=(time(12), time(13, 30)))
    noon = rules.plan("run failed", "warning", utc("2026-01-10 12:00"))
    assert noon == ("pending", utc("2026-01-10 13:30"))
    assert rules.plan("run failed", "warning", utc("2026-01-10 13:30")) == (
        "pending",
        utc("2026-01-10 13:30"),
    )


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-10-24 23:00", "2026-10-25 00:30"),
        ("2026-10-25 00:15", "2026-10-25 00:30"),
        # Berlin's clocks show 02:15 for the second time, and 02:30 comes once more
        ("2026-10-25 01:15", "2026-10-25 01:30"),
        ("2026-10-25 01:30", "2026-10-25 01:30"),
    ],
)
def test_quiet_hours_may_end_in_the_hour_that_the_clocks_show_twice(now: str, due: str) -> None:
    rules = Rules(quiet=(time(22), time(2, 30)), zone=BERLIN)
    assert rules.plan("run failed", "warning", utc(now)) == ("pending", utc(due))


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-01-10 06:59", "2026-01-10 07:00"),
        ("2026-01-10 07:00", "2026-01-11 07:00"),
        ("2026-03-28 23:00", "2026-03-29 06:00"),
    ],
)
def test_a_digest_is_sent_once_a_day(now: str, due: str) -> None:
    rules = Rules(digest_at=time(8), zone=BERLIN)
    assert rules.plan("release arrived", "info", utc(now)) == ("waiting", utc(due))


def test_a_skipped_local_time_is_made_up_for_and_a_repeated_one_counts_once() -> None:
    rules = Rules(digest_at=time(2, 30), zone=BERLIN)
    assert rules.plan("run failed", "warning", utc("2026-03-28 23:00")).due_at == utc(
        "2026-03-29 01:30"
    )
    first = rules.plan("run failed", "warning", utc("2026-10-24 23:00")).due_at
    assert first == utc("2026-10-25 00:30")
    assert rules.plan("run failed", "warning", first).due_at == utc("2026-10-26 01:30")


def test_critical_notifications_wait_for_nothing_unless_that_is_set() -> None:
    night = utc("2026-01-10 23:00")
    strict = Rules(quiet=QUIET.quiet, critical_at_once=False)
    assert QUIET.plan("nobody executes runs", "critical", night) == ("pending", night)
    assert strict.plan("nobody executes runs", "critical", night).due_at > night
    assert Rules(digest_at=time(8)).plan("x", "critical", night) == ("pending", night)


@pytest.mark.parametrize("kind", SENT)
def test_each_kind_can_be_switched_off(kind: Kind, monkeypatch) -> None:
    monkeypatch.setenv("DISABLED_NOTIFICATIONS", f" {kind} ")
    rules = Rules.of(RuleSettings(_env_file=None))
    now = utc("2026-01-10 12:00")
    assert rules.plan(kind, "critical", now) is None
    assert {other for other in SENT if rules.plan(other, "info", now)} == {*SENT} - {kind}


def test_without_settings_everything_is_sent_at_once() -> None:
    rules = Rules.of(RuleSettings(_env_file=None))
    now = utc("2026-01-10 23:00")
    assert all(rules.plan(kind, "info", now) == ("pending", now) for kind in SENT)


def test_the_settings_become_rules(monkeypatch) -> None:
    for name, value in {
        "NOTIFY_ZONE": "Europe/Berlin", "NOTIFY_QUIET_HOURS": "22:00-7:00",
        "NOTIFY_DIGEST_AT": "08:05", "NOTIFY_CRITICAL_AT_ONCE": "False",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert Rules.of(RuleSettings(_env_file=None)) == Rules(
        zone=BERLIN, quiet=(time(22), time(7)), digest_at=time(8, 5), critical_at_once=False
    )


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("DISABLED_NOTIFICATIONS", "run faild", "run failed"),
        ("DISABLED_NOTIFICATIONS", "test", "none"),
        ("NOTIFY_ZONE", "Europe/Bern", "Europe/Berlin"),
        ("NOTIFY_QUIET_HOURS", "22-7", "22:00-07:00"),
        ("NOTIFY_QUIET_HOURS", "7:00-07:00", "two different"),
        ("NOTIFY_DIGEST_AT", "24:00", "08:00"),
    ],
)
def test_a_wrong_setting_is_refused_with_the_allowed_values(
    name, value, allowed, monkeypatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=allowed):
        RuleSettings(_env_file=None)
