"""E-mail: what arrives, how it is encrypted, and which refusals are final."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import pytest

from app.core.notify.channels.mail import Mail
from app.core.notify.channels.smtp_address import SmtpServer
from app.core.notify.message import Message, NotDelivered
from app.core.process import cancelling
from harness.receivers import SmtpServer as Imitation
from tests.unit.core.notify.channels.conftest import a_message

PASSWORD = "pass word/ü"


@pytest.fixture(autouse=True)
async def _connections_end() -> AsyncIterator[None]:
    """Let the event loop see that the servers of a test have closed its connections."""
    yield
    for _ in range(10):
        await asyncio.sleep(0)


def mail(
    server: Imitation, tls: str = "off", *, login: bool = False, host: str = "127.0.0.1"
) -> Mail:
    credentials = ("me", PASSWORD) if login else (None, None)
    where = SmtpServer(host, server.port, tls, *credentials)
    return Mail(where, "kidney@example.org", ("a@example.org", "b@example.org"))


async def refused(channel: Mail, message: Message) -> NotDelivered:
    with pytest.raises(NotDelivered) as caught:
        await channel.send(message)
    assert PASSWORD not in str(caught.value)
    return caught.value


async def test_a_message_arrives_with_its_headers_and_its_text() -> None:
    message = a_message(text="Größe: 5 µm\n.\n" + "x" * 2_000)
    with Imitation() as server:
        await mail(server).send(message)
    (arrived,) = server.received
    assert arrived.sender == "kidney@example.org"
    assert arrived.recipients == ("a@example.org", "b@example.org")
    assert arrived.message["Subject"] == "Kidney genetics: Run 41 failed"
    assert arrived.message["From"] == "Kidney genetics <kidney@example.org>"
    assert arrived.message["To"] == "a@example.org, b@example.org"
    assert arrived.message["Message-ID"] == "<n-41-failed@example.org>"
    assert parsedate_to_datetime(str(arrived.message["Date"])) == message.at
    assert arrived.message["Auto-Submitted"] == "auto-generated"
    text = arrived.message.get_content().replace("\r\n", "\n")
    assert text.startswith("Größe: 5 µm\n.\n" + "x" * 2_000)
    assert "2026-11-24 03:07 UTC" in text


async def test_the_same_message_has_the_same_id_each_time(message: Message) -> None:
    with Imitation() as server:
        server.faults.queue("late")
        assert not (await refused(mail(server), message)).permanent
        await mail(server).send(message)
    assert server.ids == ["<n-41-failed@example.org>"] * 2


async def test_a_title_cannot_add_a_header() -> None:
    message = a_message(title="Run 41\r\nBcc: everybody@example.org\n\nfree text \ud800")
    with Imitation() as server:
        await mail(server).send(message)
    (arrived,) = server.received
    assert arrived.message["Bcc"] is None
    assert arrived.recipients == ("a@example.org", "b@example.org")
    assert "Run 41 Bcc: everybody@example.org free text" in str(arrived.message["Subject"])


async def test_no_message_is_sent_before_starttls(
    certificate: ssl.SSLContext, message: Message
) -> None:
    with Imitation(tls=certificate, login=("me", PASSWORD)) as server:
        await mail(server, "starttls", login=True).send(message)
    (arrived,) = server.received
    assert arrived.encrypted
    assert arrived.user == "me"


async def test_tls_may_begin_with_the_first_byte(
    certificate: ssl.SSLContext, message: Message
) -> None:
    with Imitation(tls=certificate, implicit=True, login=("me", PASSWORD)) as server:
        await mail(server, "implicit", login=True).send(message)
    assert [(each.encrypted, each.user) for each in server.received] == [(True, "me")]


async def test_nothing_is_sent_if_the_server_offers_no_starttls(message: Message) -> None:
    with Imitation(login=("me", PASSWORD)) as server:
        error = await refused(mail(server, "starttls", login=True), message)
    assert "STARTTLS" in error.reason
    assert not error.permanent
    assert server.received == []


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_certificate_of_an_unknown_authority_is_refused(
    certificate: ssl.SSLContext, message: Message, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with Imitation(tls=certificate, implicit=tls == "implicit") as server:
        error = await refused(mail(server, tls), message)
    assert f"certificate of 127.0.0.1:{server.port} is refused" in error.reason
    assert "SSL_CERT_FILE" in error.reason
    assert server.received == []


async def test_a_wrong_password_is_reported_without_showing_it_and_may_be_corrected(
    certificate: ssl.SSLContext, message: Message
) -> None:
    with Imitation(tls=certificate, login=("me", "another")) as server:
        error = await refused(mail(server, "starttls", login=True), message)
    assert "refuses the user or the password in SMTP_URL: 535" in error.reason
    assert not error.permanent


@pytest.mark.parametrize(
    ("fault", "permanent"),
    [("421", False), ("451", False), ("452", False), ("550", True), ("drop", False)],
)
async def test_a_response_determines_whether_to_retry(
    message: Message, fault: str, *, permanent: bool
) -> None:
    with Imitation() as server:
        server.faults.queue(fault)
        error = await refused(mail(server), message)
        assert error.permanent is permanent
        assert server.address in error.reason
        await mail(server).send(message)
    assert len(server.received) == 1


async def test_one_unknown_recipient_does_not_keep_the_others_from_the_message(
    message: Message,
) -> None:
    with Imitation() as server:
        server.refused.add("a@example.org")
        await mail(server).send(message)
    assert [each.recipients for each in server.received] == [("b@example.org",)]


async def test_a_server_that_never_answers_is_given_up(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.notify.channels.mail.ATTEMPT_TIMEOUT", 0.3)
    with Imitation() as server:
        server.faults.queue("slow")
        error = await refused(mail(server), message)
    assert not error.permanent
    assert server.address in error.reason


async def test_a_stopping_process_need_not_wait_for_a_server(message: Message) -> None:
    with Imitation() as server:
        server.faults.queue("slow")
        sending = asyncio.create_task(mail(server).send(message))
        while server.faults.met == 0:
            await asyncio.sleep(0.01)
        # repeatedly: Python 3.11 may swallow a cancellation, see `cancelling`
        await cancelling.end(sending, within=10)
        assert sending.cancelled()


async def test_a_missing_server_is_reported_with_its_address(message: Message) -> None:
    with Imitation() as server:
        pass
    error = await refused(mail(server), message)
    assert server.address in error.reason
    assert not error.permanent
