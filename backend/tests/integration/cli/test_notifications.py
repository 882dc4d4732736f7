"""The command that lists notifications."""

import pytest

from tests.integration.conftest import Query


@pytest.fixture
def told(query: Query) -> None:
    query("INSERT INTO incidents (kind, subject, title, times) VALUES ('run failed', 'a', 't', 3)")
    query(
        "INSERT INTO notifications (kind, severity, at, title, text, incident_id, planned_at)"
        " VALUES ('run failed', 'warning', now(), 'Run 7 (a) failed', 'just retry 7', 1, now()),"
        " ('snapshot taken', 'info', now(), 'Snapshot x', 'text', NULL, NULL)"
    )
    query(
        "INSERT INTO notification_deliveries (notification_id, channel, state, due_at, error)"
        " VALUES (1, 'webhook', 'refused', now(), 'answered 410')"
    )


def test_notifications_are_listed_with_how_far_they_were_delivered(cli, told) -> None:
    result = cli("notifications")
    newest, oldest = result.stdout.splitlines()[1:]
    assert "Snapshot x" in newest
    assert "not decided yet" in newest
    assert "webhook: refused (answered 410)" in oldest
    assert "docs/how-to/be-notified.md" in result.stderr
    assert [each["id"] for each in cli.json("notifications", "--limit", "1")] == [2]


def test_one_notification_is_shown_with_its_text_and_its_incident(cli, told) -> None:
    shown = cli("notifications", "1").stdout
    assert "just retry 7" in shown
    assert "it has occurred 3 times" in shown
    assert cli.json("notifications", "1")["deliveries"][0]["state"] == "refused"


def test_a_notification_that_does_not_exist_is_named(cli) -> None:
    result = cli("notifications", "9")
    assert (result.exit_code, result.stdout) == (1, "")
    assert cli("notifications").stdout == ""
