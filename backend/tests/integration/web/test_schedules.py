"""The pages of schedules and notifications, and their actions."""

import pytest
from pydantic import SecretStr

from harness.receivers import WebhookReceiver
from tests.integration.web.conftest import ADMIN, log_in, visiting

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def nightly(query) -> None:
    """A schedule that is due in summer and in winter, with a tick that was refused."""
    query(
        "INSERT INTO schedules (name, kind, cron, zone, sources, mode, overlap, catch_up, next_at,"
        " by) VALUES ('nightly', 'cron', '0 3 * * *', 'Europe/Berlin', '{hgnc}', 'smart', 'skip',"
        " 3600, '2027-01-01 02:00:00+00', %s)",
        HOSTILE,
    )
    query(
        "INSERT INTO schedule_ticks (schedule_id, tick, outcome, reason)"
        " SELECT id, '2026-11-24 02:00:00+00', 'refused', %s FROM schedules",
        HOSTILE,
    )


async def test_a_schedule_is_shown_with_its_next_times_in_both_zones(admin, nightly) -> None:
    text = (await admin.get("/schedules/nightly")).text

    assert "at 0 3 * * * in Europe/Berlin" in text
    assert "2027-01-01 02:00:00 UTC" in text
    assert "2027-01-01 03:00:00 CET" in text
    assert text.count(" CET</td>") == 5


async def test_a_schedule_is_paused_resumed_and_run_immediately(admin, nightly, query) -> None:
    await admin.post("/schedules/nightly/pause")
    assert "paused" in (await admin.get("/schedules")).text
    assert "by admin, pages" in (await admin.get("/schedules/nightly")).text
    assert query("SELECT paused_at IS NOT NULL AS paused FROM schedules") == [{"paused": True}]

    await admin.post("/schedules/nightly/resume")
    assert query("SELECT paused_at FROM schedules") == [{"paused_at": None}]
    answer = await admin.post("/schedules/nightly/run")
    (run,) = query("SELECT id, state FROM runs")
    assert run["state"] == "queued"
    text = (await admin.get(answer.headers["location"])).text
    assert f'href="/runs/{run["id"]}"' in text
    assert "started by admin, pages" in text
    assert "Resumed by</dt><dd>admin, pages" in text
    (event,) = query("SELECT event, actor FROM run_events")
    assert event == {"event": "created", "actor": "admin, pages"}


async def test_what_cannot_be_done_is_explained(admin, nightly) -> None:
    twice = [await admin.post("/schedules/nightly/pause") for _ in range(2)][1]
    unknown = await admin.get("/schedules/nightl")

    assert twice.status_code == 409
    assert "nightly is already paused" in twice.text
    assert unknown.status_code == 404
    assert "did you mean nightly?" in unknown.text


async def test_markup_in_a_schedule_is_shown_as_text(admin, nightly) -> None:
    for page in ("/", "/schedules", "/schedules/nightly"):
        assert HOSTILE not in (await admin.get(page)).text


async def test_notifications_are_shown_with_their_deliveries_and_as_text(admin, query) -> None:
    query(
        "INSERT INTO notifications (message_id, kind, severity, at, title, text, detail)"
        " VALUES (gen_random_uuid(), 'run failed', 'warning', now(), %s, %s, '{}')",
        f"run 7 failed {HOSTILE}",
        HOSTILE,
    )
    query(
        "INSERT INTO notification_deliveries (notification_id, channel, state, attempts, error,"
        " due_at) SELECT id, 'webhook', 'refused', 3, %s, now() FROM notifications",
        f"404 {HOSTILE}",
    )

    text = (await admin.get("/notifications")).text

    assert "run 7 failed &lt;script&gt;" in text
    assert "refused</span>, 404 &lt;script&gt;" in text
    assert HOSTILE not in text


async def test_without_a_channel_the_page_says_what_to_set(admin) -> None:
    text = (await admin.get("/notifications")).text

    assert "NOTIFY_WEBHOOK_URLS" in text
    assert "Send a test message" not in text


async def test_the_button_sends_a_test_message_and_shows_its_delivery(web_settings, genes) -> None:
    with WebhookReceiver() as receiver:
        told = web_settings.model_copy(
            update={
                "notify_webhook_urls": SecretStr(receiver.url),
                "notify_allow_private": True,
            }
        )
        async with visiting(told) as browser:
            await log_in(browser, ADMIN)
            answer = await browser.post("/notifications/test")

    assert "delivered</span> in" in answer.text
    assert receiver.url not in answer.text
    assert len(receiver.received) == 1
