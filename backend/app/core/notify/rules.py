"""Which kinds of notifications are sent, and when."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from app.core.config import Settings
from app.core.notify.message import Kind, Severity

SECTION = "Notifications"

NONE = "none"
"""The value of an empty list. An empty variable means the default."""

SENT = [kind for kind in Kind if kind not in {Kind.TEST, Kind.DIGEST, Kind.UNIT_FAILED}]
"""The kinds that can be switched off here."""

_UTC = ZoneInfo("UTC")

_TIME = r"([01]?\d|2[0-3]):([0-5]\d)"
_HOURS = re.compile(rf"{_TIME} ?- ?{_TIME}", re.ASCII)


class RuleSettings(Settings):
    """The settings that decide which notifications are sent, and when."""

    disabled_notifications: str = Field(NONE, json_schema_extra={"section": SECTION})
    """The kinds of notifications that are not sent, separated by commas, or `none`. The reference
    page Notifications lists the kinds."""

    notify_zone: str = Field("UTC", json_schema_extra={"section": SECTION})
    """The time zone of `NOTIFY_QUIET_HOURS` and `NOTIFY_DIGEST_AT`, such as `Europe/Berlin`."""

    notify_quiet_hours: str | None = Field(None, json_schema_extra={"section": SECTION})
    """The hours in which no notification is sent, such as `22:00-07:00`. Notifications from this
    time are sent at its end."""

    notify_digest_at: str | None = Field(None, json_schema_extra={"section": SECTION})
    """The time of day at which all notifications are sent in one message, such as `08:00`. Empty:
    each notification is sent at once."""

    notify_critical_at_once: bool = Field(default=True, json_schema_extra={"section": SECTION})
    """Whether critical notifications are sent at once, even in quiet hours and if there is a
    digest."""

    notify_down_after: float = Field(6.0, gt=0, le=1_000, json_schema_extra={"section": SECTION})
    """Hours for which a run has to wait for a source before a notification says that the source is
    down."""

    @field_validator("disabled_notifications")
    @classmethod
    def _of_kinds(cls, value: str) -> str:
        if not _names(value) <= {*SENT}:
            message = f"{NONE}, or some of {', '.join(SENT)}, separated by commas"
            raise ValueError(message)
        return value

    @field_validator("notify_zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        if value == "UTC":  # every program checks the default, and to list all zones takes 30 ms
            return value
        if value not in available_timezones() or value == "localtime":
            message = "a name of the IANA time zone database, such as Europe/Berlin or UTC"
            raise ValueError(message)
        return value

    @field_validator("notify_quiet_hours")
    @classmethod
    def _are_hours(cls, value: str | None) -> str | None:
        if value is not None:
            _hours(value)
        return value

    @field_validator("notify_digest_at")
    @classmethod
    def _is_time(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(_TIME, value.strip(), re.ASCII):
            message = "a time of day, such as 08:00"
            raise ValueError(message)
        return value


class Planned(NamedTuple):
    """The plan for a delivery.

    Attributes:
        state: the state of the delivery: ``pending``, or ``waiting`` for the next digest.
        due_at: the time of the delivery, or of the digest.
    """

    state: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """Decides which notifications are sent, and when.

    Attributes:
        disabled: the kinds that are not sent.
        zone: the time zone of the other attributes.
        quiet: the begin and the end of the quiet hours; the end may be on the next day.
        digest_at: the time of the digest; None if there is no digest.
        critical_at_once: whether critical notifications are sent immediately in any case.
    """

    disabled: frozenset[str] = frozenset()
    zone: ZoneInfo = _UTC
    quiet: tuple[time, time] | None = None
    digest_at: time | None = None
    critical_at_once: bool = True

    @classmethod
    def of(cls, settings: RuleSettings) -> "Rules":
        """Return the rules in the settings."""
        quiet, digest = settings.notify_quiet_hours, settings.notify_digest_at
        return cls(
            disabled=frozenset(_names(settings.disabled_notifications)),
            zone=ZoneInfo(settings.notify_zone),
            quiet=None if quiet is None else _hours(quiet),
            digest_at=None if digest is None else _time(*digest.strip().split(":")),
            critical_at_once=settings.notify_critical_at_once,
        )

    def plan(self, kind: str, severity: str, now: datetime) -> Planned | None:
        """Return the plan for a notification; None if it is not sent.

        Args:
            kind: the kind of the notification.
            severity: the severity of the notification.
            now: PostgreSQL's time.
        """
        if kind in self.disabled:
            return None
        if severity == Severity.CRITICAL and self.critical_at_once:
            return Planned("pending", now)
        if self.digest_at is not None:
            return Planned("waiting", self._next(self.digest_at, now))
        if self.quiet is not None and self._is_quiet(now):
            # when clocks are set back, an hour occurs twice; the end is taken in the present one
            fold = now.astimezone(self.zone).fold
            return Planned("pending", self._next(self.quiet[1].replace(fold=fold), now))
        return Planned("pending", now)

    def _is_quiet(self, now: datetime) -> bool:
        assert self.quiet is not None
        begin, end = self.quiet
        here = now.astimezone(self.zone).time()
        return begin <= here < end if begin < end else here >= begin or here < end

    def _next(self, at: time, now: datetime) -> datetime:
        """Return the next moment at which it is a given time of day in the time zone.

        A time that daylight saving skips counts as if it existed. A time that occurs twice counts
        the first time, unless its fold is 1.
        """
        day = now.astimezone(self.zone).date()
        while True:
            moment = datetime.combine(day, at, self.zone).astimezone(now.tzinfo)
            if moment > now:
                return moment
            day += timedelta(days=1)


def _names(value: str) -> set[str]:
    return {name for part in value.split(",") if (name := part.strip()) not in {"", NONE}}


def _hours(value: str) -> tuple[time, time]:
    found = _HOURS.fullmatch(value.strip())
    times = found and (_time(found[1], found[2]), _time(found[3], found[4]))
    if not times or times[0] == times[1]:
        message = "two different times of day, such as 22:00-07:00"
        raise ValueError(message)
    return times


def _time(hour: str, minute: str) -> time:
    return time(int(hour), int(minute))
