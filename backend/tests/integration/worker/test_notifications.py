"""Real processes tell people what happens."""

from collections.abc import Iterator

import pytest

from harness.launcher import WORKER_READY
from harness.receivers import SmtpServer, WebhookReceiver
from harness.timing import WAIT
from harness.waiting import eventually
from tests.plant import Plant

Told = tuple[WebhookReceiver, SmtpServer]


@pytest.fixture
def told(plant: Plant) -> Iterator[Told]:
    """A receiver of webhooks and an SMTP server, which all processes know."""
    with WebhookReceiver() as webhook, SmtpServer() as smtp:
        plant.env |= {
            "NOTIFY_WEBHOOK_URLS": webhook.url,
            "NOTIFY_ALLOW_PRIVATE": "True",
            "SMTP_URL": f"smtp://{smtp.address}",
            "NOTIFY_EMAIL_FROM": "annotations@example.org",
            "NOTIFY_EMAIL_TO": "ada@example.org",
        }
        yield webhook, smtp


async def test_a_run_that_fails_and_then_succeeds_is_told_by_webhook_and_e_mail(
    plant: Plant, told: Told
) -> None:
    webhook, smtp = told
    plant.fill(5)
    plant.sandbox.fault("ensembl.lookup", "invalid-json")
    webhook.faults.queue("late")
    worker = plant.worker()
    await plant.says(worker, WORKER_READY)
    run_id = plant.annotate("ensembl")
    await eventually(lambda: webhook.ids and smtp.received, seconds=WAIT)
    plant.sandbox.clear_faults()
    plant.output("retry", str(run_id))
    await eventually(lambda: len(smtp.received) == 2, seconds=WAIT)

    failed, recovered = (each.message for each in smtp.received)
    assert f"Run {run_id} (ensembl) failed" in failed["Subject"]
    assert f"just retry {run_id}" in failed.get_content()
    assert "Recovered: Run" in recovered["Subject"]
    listed = plant.output("notifications")
    assert f"Run {run_id} (ensembl) failed" in listed


async def test_the_api_tells_that_no_worker_is_alive(plant: Plant, told: Told) -> None:
    webhook, _ = told
    worker = plant.worker()
    await plant.says(worker, WORKER_READY)
    worker.kill()
    plant.rows(
        "UPDATE workers SET heartbeat_at = now() - interval '1 hour',"
        " started_at = now() - interval '1 day'"
    )
    await plant.api()
    await eventually(lambda: webhook.received, seconds=WAIT)
    assert webhook.received[0].body["data"]["severity"] == "critical"


async def test_a_worker_without_a_channel_opens_no_connection_for_notifications(
    plant: Plant,
) -> None:
    worker = plant.worker()
    await plant.says(worker, WORKER_READY)
    assert not plant.rows(
        "SELECT 1 FROM pg_stat_activity WHERE application_name = 'kidney-genetics notifications'"
    )
