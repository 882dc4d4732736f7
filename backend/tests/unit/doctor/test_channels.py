"""The doctor says when a channel for notifications cannot work, and sends nothing to anybody."""

import pytest

from app.core.checks import Status
from app.core.notify.channels import outbound, through_apprise
from harness.receivers import SmtpServer, WebhookReceiver
from harness.waiting import eventually
from tests.patient import Patient

ADDRESSES, SMTP = "notifications.addresses", "notifications.smtp"
APPRISE = "notifications.apprise"
LOGIN = {"NOTIFY_EMAIL_FROM": "a@b.org", "NOTIFY_EMAIL_TO": "c@d.org"}


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def configure(patient: Patient, **settings: str) -> None:
    lines = "".join(f"{name}={value}\n" for name, value in settings.items())
    (patient.root / ".env").write_text(lines)


async def test_without_channels_there_is_nothing_to_find(patient: Patient) -> None:
    found = await patient.all(ADDRESSES, SMTP, APPRISE)
    assert {found[each].status for each in (ADDRESSES, SMTP, APPRISE)} == {Status.ok}


async def test_a_webhook_and_the_ping_are_connected_to_and_get_no_request(patient: Patient) -> None:
    with WebhookReceiver() as receiver:
        configure(
            patient,
            NOTIFY_ALLOW_PRIVATE="True",
            NOTIFY_WEBHOOK_URLS=receiver.url,
            PING_URL=receiver.url,
        )
        seen = await patient.see(ADDRESSES)
        await eventually(lambda: receiver.connections)
    assert seen.status is Status.ok
    assert (receiver.connections, receiver.requests) == (1, 0)


async def test_a_host_that_does_not_answer_is_named_without_the_address(patient: Patient) -> None:
    with WebhookReceiver() as receiver:
        configure(patient, NOTIFY_ALLOW_PRIVATE="True", NOTIFY_WEBHOOK_URLS=receiver.url)
    seen = await patient.see(ADDRESSES)
    assert seen.status is Status.failed
    assert "127.0.0.1" in seen.finding.found
    assert "N0tToBeShownAnywhere" not in str(seen.finding)


async def test_a_name_that_leads_into_the_own_network_is_found(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["10.1.2.3"]

    monkeypatch.setattr(outbound, "resolve", resolve)
    configure(patient, NOTIFY_WEBHOOK_URLS="https://chat.example.org/hooks/x")
    seen = await patient.see(ADDRESSES)
    assert seen.status is Status.failed
    assert "chat.example.org has the address 10.1.2.3, which is not public" in seen.finding.found
    assert "NOTIFY_ALLOW_PRIVATE" in seen.finding.required


async def test_a_proxy_resolves_the_names_itself(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    configure(patient, NOTIFY_WEBHOOK_URLS="https://no.such.host.example.org/x")
    assert (await patient.see(ADDRESSES)).status is Status.ok


async def test_a_server_for_e_mail_is_logged_in_to_and_gets_no_message(patient: Patient) -> None:
    with SmtpServer(login=("me", "pass word")) as server:
        configure(patient, SMTP_URL=f"smtp://me:pass%20word@{server.address}", **LOGIN)
        seen = await patient.see(SMTP)
    assert seen.status is Status.ok
    assert "accepts the user" in seen.finding.summary
    assert server.received == []


async def test_a_wrong_password_for_e_mail_is_found_and_not_shown(patient: Patient) -> None:
    with SmtpServer(login=("me", "another")) as server:
        configure(patient, SMTP_URL=f"smtp://me:pass%20word@{server.address}", **LOGIN)
        seen = await patient.see(SMTP)
    assert seen.status is Status.failed
    assert "refuses the user or the password" in seen.finding.found
    assert "pass word" not in str(seen.finding)


async def test_offline_nothing_is_connected_to(patient: Patient) -> None:
    with SmtpServer() as smtp, WebhookReceiver() as receiver:
        configure(
            patient,
            NOTIFY_ALLOW_PRIVATE="True",
            NOTIFY_WEBHOOK_URLS=receiver.url,
            SMTP_URL=f"smtp://{smtp.address}",
            **LOGIN,
        )
        found = await patient.all(ADDRESSES, SMTP, offline=True)
    assert {found[each].status for each in (ADDRESSES, SMTP)} == {Status.skipped}
    assert smtp.connections == receiver.connections == 0


async def test_apprise_is_missed_if_it_is_configured(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(patient, NOTIFY_APPRISE_URLS="json://example.org/T0ken123")
    assert (await patient.see(APPRISE)).status is Status.ok
    monkeypatch.setattr(through_apprise, "find_spec", lambda name: None)
    seen = await patient.see(APPRISE)
    assert seen.status is Status.failed
    assert "sh requirements/install.sh apprise" in str(seen.remedy)
