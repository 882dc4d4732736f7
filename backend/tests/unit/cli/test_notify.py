"""The commands that reach people without PostgreSQL and Redis."""

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from app.cli.group import main
from harness.receivers import SmtpServer, WebhookReceiver


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def webhook() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as server:
        yield server


@pytest.fixture
def run(smtp: SmtpServer, webhook: WebhookReceiver, monkeypatch: pytest.MonkeyPatch):
    """Run a command with a webhook and e-mail, and with servers that do not exist."""
    environ = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "NOTIFY_ALLOW_PRIVATE": "True",
        "NOTIFY_WEBHOOK_URLS": webhook.url,
        "SMTP_URL": f"smtp://{smtp.address}",
        "NOTIFY_EMAIL_FROM": "kidney@example.org",
        "NOTIFY_EMAIL_TO": "people@example.org",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("app.cli.notify.RETRIES", (0.0,))

    def run(*arguments: str, **more: str) -> Result:
        return CliRunner().invoke(main, arguments, env=more, catch_exceptions=False)

    return run


def test_a_test_message_goes_through_every_channel(run, smtp, webhook) -> None:
    done = run("notify-test")
    assert done.exit_code == 0
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()[1:]]
    assert [(name, what[:9]) for name, what in lines] == [
        ("webhook", "delivered"),
        ("e-mail", "delivered"),
    ]
    assert webhook.received[0].body["type"] == "test"
    assert "Test message" in str(smtp.received[0].message["Subject"])


def test_the_exit_status_reports_that_a_channel_failed_and_why(run, smtp, webhook) -> None:
    webhook.faults.queue("404")
    done = run("notify-test", "--json")
    assert done.exit_code == 1
    found = {each["channel"]: each for each in json.loads(done.stdout)}
    assert not found["webhook"]["delivered"]
    assert "127.0.0.1 answered 404" in found["webhook"]["reason"]
    assert "N0tToBeShownAnywhere" not in done.output
    assert found["e-mail"]["delivered"]
    assert len(smtp.received) == 1


def test_without_a_channel_the_settings_are_named(run) -> None:
    done = run("notify-test", NOTIFY_WEBHOOK_URLS="", SMTP_URL="", NOTIFY_EMAIL_TO="")
    assert done.exit_code == 1
    assert "NOTIFY_WEBHOOK_URLS, SMTP_URL and NOTIFY_APPRISE_URLS" in done.stderr


def test_a_failed_unit_is_reported_despite_invalid_settings(run, smtp, webhook) -> None:
    done = run(
        "notify-failure",
        "kidney-genetics-worker.service",
        ARQ_MAX_JOBS="many",
        DATABASE_URL="nonsense",
        MONITOR_SERVICE_RESULT="exit-code",
        MONITOR_EXIT_STATUS="2",
        MONITOR_INVOCATION_ID="6f0fe1b2a3a34a6e8f7b64a0b5f5d7a1",
    )
    assert done.exit_code == 0
    (told,) = webhook.received
    assert told.id == "unit-6f0fe1b2a3a34a6e8f7b64a0b5f5d7a1"
    assert told.body["data"]["severity"] == "critical"
    assert "its settings are wrong" in told.body["data"]["text"]
    assert "journalctl -u kidney-genetics-worker.service" in told.body["data"]["text"]
    assert smtp.ids == ["<unit-6f0fe1b2a3a34a6e8f7b64a0b5f5d7a1@example.org>"]


def test_without_channels_a_failed_unit_causes_no_further_failure(run) -> None:
    settings = {"NOTIFY_WEBHOOK_URLS": "", "SMTP_URL": "", "NOTIFY_EMAIL_TO": ""}
    done = run("notify-failure", "kidney-genetics-api.service", **settings)
    assert done.exit_code == 0
    assert "is not reported" in done.stderr


def test_a_failed_unit_is_reported_again_to_channels_that_missed_it(run, smtp, webhook) -> None:
    webhook.faults.queue("503")
    done = run("notify-failure", "kidney-genetics-api.service")
    assert done.exit_code == 0
    assert len(webhook.received) == len(smtp.received) == 1


def test_wrong_settings_of_a_channel_are_named(run) -> None:
    done = run("notify-failure", "x.service", SMTP_URL="smtp://me:hunter22@h.org?tls=off")
    assert done.exit_code == 2
    assert "SMTP_URL: found a value that is not shown" in done.stderr
    assert "hunter22" not in done.output
