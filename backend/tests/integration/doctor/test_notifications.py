"""The doctor says when people do not hear of what happens."""

from app.core.checks import Status
from tests.integration.doctor.ward import change, query
from tests.patient import Patient

UNDELIVERED, REFUSED = "notifications.undelivered", "notifications.refused"
SENDER = "notifications.sender"


def told(patient: Patient, state: str, *, ago: str = "2 hours", **columns: object) -> None:
    """Put a notification and its delivery into the database."""
    values = {"attempts": 3, "error": "answered 503", "due_at": "now"} | columns
    query(
        patient,
        "WITH told AS (INSERT INTO notifications (kind, severity, at, title, text, created_at,"
        " planned_at) SELECT 'run failed', 'warning', at, 'title', 'text', at, at"
        " FROM (SELECT now() - CAST(%s AS interval) AS at) past RETURNING id)"
        " INSERT INTO notification_deliveries (notification_id, channel, state, attempts, error,"
        " due_at) SELECT id, 'webhook', %s, %s, %s, CAST(%s AS timestamptz) FROM told",
        *(ago, state, values["attempts"], values["error"], values["due_at"]),
    )


async def test_a_channel_that_does_not_deliver_is_named_with_the_reason(patient: Patient) -> None:
    assert (await patient.see(UNDELIVERED)).status is Status.ok
    told(patient, "pending")
    broken = await patient.see(UNDELIVERED)
    assert broken.status is Status.warning
    assert "webhook" in broken.finding.summary
    assert "answered 503" in broken.finding.found
    query(patient, "UPDATE notification_deliveries SET state = 'delivered'")
    assert (await patient.see(UNDELIVERED)).status is Status.ok


async def test_undelivered_notifications_without_a_sender_are_reported(patient: Patient) -> None:
    told(patient, "pending", attempts=0, error=None, due_at="yesterday")
    assert "no attempt" in (await patient.see(UNDELIVERED)).finding.found


async def test_notifications_waiting_for_quiet_hours_or_a_digest_are_no_problem(
    patient: Patient,
) -> None:
    told(patient, "pending", attempts=0, error=None, due_at="tomorrow")
    told(patient, "waiting", attempts=0, error=None, due_at="tomorrow")
    assert (await patient.see(UNDELIVERED)).status is Status.ok


async def test_a_channel_that_is_refused_is_named_until_it_delivers_again(
    patient: Patient,
) -> None:
    told(patient, "refused", error="answered 410 gone")
    broken = await patient.see(REFUSED)
    assert broken.status is Status.warning
    assert "answered 410 gone" in broken.finding.found
    told(patient, "delivered")
    assert (await patient.see(REFUSED)).status is Status.ok


async def test_channels_that_no_running_process_has_are_named(patient: Patient) -> None:
    query(
        patient,
        "INSERT INTO notifications (kind, severity, at, title, text, created_at)"
        " VALUES ('snapshot taken', 'info', now(), 't', 't', now() - interval '1 hour')",
    )
    assert (await patient.see(SENDER)).status is Status.ok
    change(patient, notify_webhook_urls="https://hooks.slack.com/services/T0/B0/X")
    broken = await patient.see(SENDER)
    assert broken.status is Status.warning
    assert "started with webhook" in broken.finding.required
    query(patient, "UPDATE notifications SET planned_at = now()")
    assert (await patient.see(SENDER)).status is Status.ok
