"""Every message arrives, whatever the receiver, the process and PostgreSQL do."""

import asyncio
from datetime import time
from zoneinfo import ZoneInfo

from app.core.notify import sending
from app.core.notify.message import NotDelivered
from app.core.notify.rules import Rules
from tests.office import Mailbox, Office

SOON = "UPDATE notification_deliveries SET due_at = now() WHERE state IN ('pending', 'waiting')"
"""As if time had passed."""


def refuse(*, until: int = 1_000_000, permanent: bool = False, retry_after: float | None = None):
    """Refuse all attempts before one."""

    def fault(attempt: int) -> None:
        if attempt < until:
            raise NotDelivered("it is full", permanent=permanent, retry_after=retry_after)

    return fault


async def test_a_message_that_was_refused_is_sent_again_under_the_same_id(
    office: Office, monkeypatch
) -> None:
    monkeypatch.setattr(sending, "BACKOFF_BASE", 0.01)
    arrived_but_unconfirmed = []

    class Forgetful(Mailbox):
        async def send(self, message) -> None:
            arrived_but_unconfirmed.append(message.id)
            await super().send(message)

    mailbox = Forgetful(faults=refuse(until=4))
    async with office.open(mailbox):
        await office.fail()
        (message,) = await mailbox.until(1)
        (row,) = await office.until(
            "SELECT attempts, error FROM notification_deliveries WHERE state = 'delivered'"
        )
    assert arrived_but_unconfirmed == [message.id] * 4
    assert row == {"attempts": 4, "error": None}


async def test_a_message_is_tried_again_and_again_and_waits_as_long_as_the_receiver_wants(
    office: Office,
) -> None:
    async with office.open(Mailbox("a", refuse()), Mailbox("b", refuse(retry_after=900))):
        await office.fail()
        for attempts in (1, 2, 3):
            if attempts > 1:
                office.query(SOON)
            # while a message is being sent, it is due two minutes later
            await office.until(
                "SELECT 1 FROM notification_deliveries HAVING min(attempts) = %s AND bool_and("
                " CASE channel WHEN 'a' THEN due_at < now() + interval '100 s'"
                " ELSE due_at > now() + interval '500 s' END)",
                attempts,
            )
        rows = office.query(
            "SELECT channel, extract(epoch FROM due_at - now())::float8 AS seconds, error"
            " FROM notification_deliveries ORDER BY channel"
        )
    assert rows[1]["seconds"] > rows[0]["seconds"] + 600
    assert {row["error"] for row in rows} == {"it is full"}


async def test_permanent_refusals_and_week_old_messages_are_not_retried(
    office: Office,
) -> None:
    async with office.open(Mailbox("a", refuse(permanent=True)), Mailbox("b", refuse())):
        await office.fail()
        await office.until("SELECT 1 FROM notification_deliveries WHERE state = 'refused'")
        await office.until(
            "SELECT 1 FROM notification_deliveries WHERE channel = 'b' AND error IS NOT NULL"
        )
        office.query("UPDATE notifications SET created_at = now() - interval '8 days'")
        office.query(SOON)
        await office.until("SELECT 1 FROM notification_deliveries WHERE state = 'given up'")


async def test_a_channel_that_hangs_does_not_delay_the_others(office: Office) -> None:
    class Silent(Mailbox):
        async def send(self, message) -> None:
            await asyncio.Event().wait()

    mailbox = Mailbox("b")
    async with office.open(Silent("a"), mailbox):
        for source in "abcdefghijkl":
            await office.fail((source,))
        await mailbox.until(12)


async def test_several_processes_send_each_message_once(office: Office) -> None:
    mailbox = Mailbox()
    async with office.open(mailbox), office.open(mailbox), office.open(mailbox):
        for number in range(40):
            await office.fail((f"s{number}",))
        await mailbox.until(40)
        await office.until(
            "SELECT 1 WHERE NOT EXISTS (SELECT FROM notification_deliveries"
            " WHERE state <> 'delivered')"
        )
    assert len({message.id for message in mailbox.got}) == len(mailbox.got) == 40


async def test_deliveries_of_a_dead_process_are_sent_again_under_the_same_id(
    office: Office,
) -> None:
    class Dying(Mailbox):
        async def send(self, message) -> None:
            await super().send(message)
            await asyncio.Event().wait()

    dying, mailbox = Dying(), Mailbox()
    async with office.open(dying):
        await office.fail()
        await dying.until(1)
    async with office.open(mailbox):
        office.query(SOON)
        await mailbox.until(1)
    assert dying.got[0].id == mailbox.got[0].id


async def test_messages_are_sent_after_postgresql_has_ended_all_sessions(office: Office) -> None:
    async with office.open() as mailbox:
        await office.fail()
        await mailbox.until(1)
        office.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'kidney-genetics notifications'"
        )
        await office.fail(("b",))
        await mailbox.until(2)
        await office.succeed(("a", "b"))
        await mailbox.until(4)


async def test_a_kind_that_is_switched_off_is_not_sent_and_neither_is_its_end(
    office: Office,
) -> None:
    rules = Rules(disabled=frozenset({"run failed"}))
    async with office.open(rules=rules) as mailbox:
        await office.fail()
        await office.until("SELECT 1 FROM incidents")
        await office.succeed()
        await office.until(
            "SELECT 1 FROM notifications WHERE kind = 'recovered' AND planned_at IS NOT NULL"
        )
    assert mailbox.got == []
    assert not office.query("SELECT channel FROM notification_deliveries")


async def test_a_digest_has_everything_that_waited_for_it_in_one_message(office: Office) -> None:
    rules = Rules(digest_at=time(8), zone=ZoneInfo("Europe/Berlin"))
    async with office.open(Mailbox("a"), Mailbox("b"), rules=rules) as mailbox:
        for source in "xyz":
            await office.fail((source,))
        await office.until(
            "SELECT count(*) FROM notification_deliveries WHERE state = 'waiting'"
            " HAVING count(*) = 6"
        )
        (due,) = office.query(
            "SELECT DISTINCT to_char(due_at AT TIME ZONE 'Europe/Berlin', 'HH24:MI') AS at,"
            " due_at > now() AS later FROM notification_deliveries"
        )
        assert due == {"at": "08:00", "later": True}
        office.query(SOON)
        (digest,) = await mailbox.until(1)
        await office.until(
            "SELECT count(*) FROM notification_deliveries WHERE state = 'delivered'"
            " HAVING count(*) = 2"
        )
    assert (digest.kind, digest.severity) == ("digest", "warning")
    assert digest.title == "3 notifications"
    assert all(
        f"Run {number} ({source}) failed" in digest.text
        for number, source in enumerate("xyz", start=1)
    )
    states = office.query("SELECT state, count(*) FROM notification_deliveries GROUP BY state")
    assert {row["state"]: row["count"] for row in states} == {"in digest": 6, "delivered": 2}


async def test_one_notification_alone_needs_no_digest(office: Office) -> None:
    async with office.open(rules=Rules(digest_at=time(8))) as mailbox:
        await office.fail()
        await office.until("SELECT 1 FROM notification_deliveries WHERE state = 'waiting'")
        office.query(SOON)
        (message,) = await mailbox.until(1)
    assert message.kind == "run failed"


async def test_a_long_digest_reports_how_much_it_omits(office: Office) -> None:
    async with office.open(rules=Rules(digest_at=time(8))) as mailbox:
        office.query(
            "INSERT INTO notifications (kind, severity, at, title, text)"
            " SELECT 'run failed', 'warning', now(), 'Run ' || n || ' failed ' || repeat('x', 80),"
            " 'text' FROM generate_series(1, 900) n"
        )
        await office.until("SELECT count(*) FROM notification_deliveries HAVING count(*) = 900")
        office.query(SOON)
        (digest,) = await mailbox.until(1)
    assert len(digest.text) <= 4_000
    assert "and 8" in digest.text
    assert digest.text.endswith("just notifications")


async def test_undelivered_messages_of_a_removed_channel_are_dropped_after_a_week(
    office: Office,
) -> None:
    async with office.open(Mailbox("webhook", refuse())):
        await office.fail()
        await office.until("SELECT 1 FROM notification_deliveries WHERE error IS NOT NULL")
    async with office.open(Mailbox("webhook 1")) as renamed:
        await office.fail(("b",))
        await renamed.until(1)
        office.query("UPDATE notifications SET created_at = now() - interval '8 days'")
        await office.until("SELECT 1 FROM notification_deliveries WHERE state = 'given up'")
