"""Notifications over HTTP."""

import pytest
from pydantic import SecretStr

from app.annotation.settings import Settings
from harness.receivers import WebhookReceiver
from tests.integration.api.conftest import Serve
from tests.integration.conftest import Query

NOTIFICATIONS = "/api/admin/notifications"


@pytest.fixture
def told(query: Query) -> None:
    """Three notifications, one of which is being delivered."""
    query("INSERT INTO incidents (kind, subject, title, times) VALUES ('run failed', 'a', 't', 3)")
    query(
        "INSERT INTO notifications (kind, severity, at, title, text, detail, incident_id,"
        " planned_at) SELECT 'run failed', 'warning', now(), 'title ' || n, 'text',"
        """ '{"run": 7}', CASE WHEN n = 3 THEN 1 END, now() FROM generate_series(1, 3) n"""
    )
    query(
        "INSERT INTO notification_deliveries (notification_id, channel, state, due_at, attempts,"
        " error, delivered_at) VALUES (3, 'webhook', 'pending', now(), 2, 'answered 503', NULL),"
        " (3, 'e-mail', 'delivered', now(), 1, NULL, now())"
    )


async def test_notifications_are_listed_with_their_incident_and_their_deliveries(api, told) -> None:
    found = (await api.get(NOTIFICATIONS)).json()
    assert [each["title"] for each in found["notifications"]] == ["title 3", "title 2", "title 1"]
    assert found["next_before"] is None
    newest = found["notifications"][0]
    assert (newest["detail"], newest["planned"]) == ({"run": 7}, True)
    assert newest["message_id"].startswith("msg_")
    assert (newest["incident"]["times"], newest["incident"]["closed_at"]) == (3, None)
    mail, webhook = newest["deliveries"]
    assert (mail["state"], mail["due_at"]) == ("delivered", None)
    assert (webhook["state"], webhook["attempts"], webhook["error"]) == (
        "pending", 2, "answered 503",
    )  # fmt: skip


async def test_notifications_are_listed_in_pages(api, told) -> None:
    first = (await api.get(NOTIFICATIONS, params={"limit": 2})).json()
    assert (len(first["notifications"]), first["next_before"]) == (2, 2)
    rest = (await api.get(NOTIFICATIONS, params={"before": 2})).json()
    assert [each["id"] for each in rest["notifications"]] == [1]


async def test_a_snapshot_is_reported_in_the_transaction_that_creates_it(api, genes) -> None:
    answer = await api.post(
        "/api/admin/snapshots", json={"name": "paper", "by": "Ada\n<b>", "note": "for the paper"}
    )
    assert answer.status_code == 201, answer.text
    (notification,) = (await api.get(NOTIFICATIONS)).json()["notifications"]
    assert notification["title"] == "Snapshot paper was taken by Ada <b>"
    assert (notification["kind"], notification["planned"]) == ("snapshot taken", False)
    assert "for the paper" in notification["text"]


async def test_a_test_message_is_sent_at_once_through_every_channel(
    serve: Serve, arq_settings: Settings
) -> None:
    with WebhookReceiver() as well, WebhookReceiver() as broken:
        broken.faults.at_random(1.0, kinds=["503"])
        urls = SecretStr(f"{well.url} {broken.url}")
        changes = {"notify_webhook_urls": urls, "notify_allow_private": True}
        async with serve(arq_settings.model_copy(update=changes)) as api:
            answer = await api.post(f"{NOTIFICATIONS}/test")
    assert answer.status_code == 200, answer.text
    first, second = answer.json()
    assert (first["channel"], first["delivered"], first["reason"]) == ("webhook 1", True, "")
    assert (second["channel"], second["delivered"]) == ("webhook 2", False)
    assert "503" in second["reason"]
    assert "N0tToBeShownAnywhere" not in answer.text
    assert well.received[0].body["type"] == "test"


async def test_without_a_channel_there_is_no_test(api) -> None:
    answer = await api.post(f"{NOTIFICATIONS}/test")
    assert answer.status_code == 409
    assert "NOTIFY_WEBHOOK_URLS" in answer.text
