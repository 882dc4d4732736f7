"""Webhooks: what arrives, which answers are final, and which addresses are connected to."""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from app.core.notify.channels.forms import Form
from app.core.notify.channels.outbound import AddressRefused, CheckedTransport, new_client
from app.core.notify.channels.signature import key_of
from app.core.notify.channels.targets import Target
from app.core.notify.channels.webhook import Webhook
from app.core.notify.message import Message, NotDelivered
from harness.connections import serving
from harness.receivers import WebhookReceiver
from tests.unit.core.notify.channels.conftest import HOOK_HOST, SECRET


async def loopback(host: str, port: int) -> list[str]:
    """Any name is this host."""
    return ["127.0.0.1"]


@pytest.fixture
async def webhook(receiver: WebhookReceiver):
    """A webhook to a name whose address is loopback."""
    url = receiver.url.replace("127.0.0.1", HOOK_HOST)
    target = Target(Form.JSON, url, HOOK_HOST)
    http = new_client(allow_private=True, resolver=loopback)
    channel = Webhook("webhook", target, http, keys=(key_of(SECRET),))
    yield channel
    await channel.close()


async def refused(channel: Webhook, message: Message) -> NotDelivered:
    with pytest.raises(NotDelivered) as caught:
        await channel.send(message)
    assert "N0tToBeShownAnywhere" not in str(caught.value)
    return caught.value


async def test_a_message_arrives_with_its_id_and_a_right_signature(
    webhook: Webhook, receiver: WebhookReceiver, message: Message
) -> None:
    await webhook.send(message)
    (arrived,) = receiver.received
    assert arrived.verified
    assert arrived.id == message.id
    assert arrived.body["data"]["title"] == "Run 41 failed"
    assert arrived.headers["content-type"] == "application/json"
    assert arrived.headers["host"] == f"{HOOK_HOST}:{receiver.port}"
    assert arrived.path == "/services/T0001/N0tToBeShownAnywhere"


async def test_a_receiver_with_another_secret_refuses_it(
    webhook: Webhook, receiver: WebhookReceiver, message: Message
) -> None:
    receiver.secret = "whsec_" + "A" * 32
    error = await refused(webhook, message)
    assert error.permanent
    assert receiver.received == []


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        ("400", True),
        ("401", True),
        ("403", True),
        ("404", True),
        ("410", True),
        ("408", False),
        ("429", False),
        ("500", False),
        ("502", False),
        ("503", False),
        ("504", False),
    ],
)
async def test_a_response_determines_whether_to_retry(
    webhook: Webhook, receiver: WebhookReceiver, message: Message, status: str, *, permanent: bool
) -> None:
    receiver.faults.queue(status)
    error = await refused(webhook, message)
    assert error.permanent is permanent
    assert f"{HOOK_HOST} answered {status}" in error.reason
    await webhook.send(message)
    assert receiver.ids == [message.id]


@pytest.mark.parametrize(
    ("header", "seconds"), [("120", 120), ("99999999", 86_400), ("soon", None), (None, None)]
)
async def test_the_receiver_determines_when_to_retry(
    webhook: Webhook,
    receiver: WebhookReceiver,
    message: Message,
    header: str | None,
    seconds: float | None,
) -> None:
    receiver.retry_after = header
    receiver.faults.queue("429")
    assert (await refused(webhook, message)).retry_after == seconds


async def test_a_redirect_is_not_followed(
    webhook: Webhook, receiver: WebhookReceiver, message: Message
) -> None:
    receiver.location = "https://169.254.169.254/latest/meta-data"
    error = await refused(webhook, message)
    assert "redirects are not followed" in error.reason
    assert "169.254" not in error.reason
    assert receiver.requests == 1


@pytest.mark.parametrize("fault", ["drop", "late"])
async def test_after_a_lost_connection_the_message_is_sent_again_with_the_same_id(
    webhook: Webhook, receiver: WebhookReceiver, message: Message, fault: str
) -> None:
    receiver.faults.queue(fault)
    assert not (await refused(webhook, message)).permanent
    await webhook.send(message)
    assert set(receiver.ids) == {message.id}
    assert len(receiver.ids) == (2 if fault == "late" else 1)


async def test_a_receiver_that_never_answers_is_given_up(
    webhook: Webhook,
    receiver: WebhookReceiver,
    message: Message,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.core.notify.channels.webhook.ATTEMPT_TIMEOUT", 0.2)
    receiver.faults.queue("slow")
    error = await refused(webhook, message)
    assert not error.permanent
    assert "did not answer in time" in error.reason


async def test_a_stopping_process_need_not_wait_for_a_receiver(
    webhook: Webhook, receiver: WebhookReceiver, message: Message
) -> None:
    receiver.faults.queue("slow")
    sending = asyncio.create_task(webhook.send(message))
    while receiver.requests == 0:
        await asyncio.sleep(0.01)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_a_certificate_of_an_unknown_authority_is_refused(
    receiver: WebhookReceiver, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    target = Target(Form.JSON, receiver.url, "127.0.0.1")
    channel = Webhook("webhook", target, new_client(allow_private=True))
    error = await refused(channel, message)
    assert "certificate of 127.0.0.1 is refused" in error.reason
    assert "SSL_CERT_FILE" in error.reason
    await channel.close()


async def test_a_certificate_of_another_name_is_refused(
    receiver: WebhookReceiver, message: Message
) -> None:
    url = receiver.url.replace("127.0.0.1", "other.example.org")
    target = Target(Form.JSON, url, "other.example.org")
    channel = Webhook("webhook", target, new_client(allow_private=True, resolver=loopback))
    assert "certificate of other.example.org is refused" in (await refused(channel, message)).reason
    await channel.close()


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.7"], ["::ffff:192.168.1.1"], ["169.254.169.254", "100.64.0.1"]],
)
async def test_a_name_with_private_addresses_is_not_connected_to(
    receiver: WebhookReceiver, message: Message, addresses: list[str]
) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return addresses

    target = Target(Form.JSON, receiver.url.replace("127.0.0.1", HOOK_HOST), HOOK_HOST)
    channel = Webhook("webhook", target, new_client(allow_private=False, resolver=resolver))
    error = await refused(channel, message)
    assert "not in the public internet" in error.reason
    assert "NOTIFY_ALLOW_PRIVATE" in error.reason
    assert receiver.connections == 0
    await channel.close()


async def test_a_name_server_that_changes_its_answer_gains_nothing() -> None:
    answers = iter([["93.184.215.14", "10.0.0.1"], ["127.0.0.1"], ["93.184.215.14"]])
    asked: list[httpx.Request] = []

    async def resolver(host: str, port: int) -> list[str]:
        return next(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200)

    checked = CheckedTransport(httpx.MockTransport(answer), allow_private=False, resolver=resolver)
    async with httpx.AsyncClient(transport=checked) as client:
        await client.get("https://hooks.example.org/x")
        with pytest.raises(AddressRefused):
            await client.get("https://hooks.example.org/x")
        await client.get("https://hooks.example.org/x")
    assert [each.url.host for each in asked] == ["93.184.215.14"] * 2
    assert {each.headers["host"] for each in asked} == {"hooks.example.org"}
    assert {each.extensions["sni_hostname"] for each in asked} == {"hooks.example.org"}


async def test_the_next_address_of_a_name_is_tried_if_one_does_not_answer(
    receiver: WebhookReceiver, message: Message
) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    target = Target(Form.JSON, receiver.url.replace("127.0.0.1", HOOK_HOST), HOOK_HOST)
    http = new_client(allow_private=True, resolver=resolver)
    channel = Webhook("webhook", target, http, keys=(key_of(SECRET),))
    await channel.send(message)
    assert receiver.ids == [message.id]
    await channel.close()


async def test_a_name_that_cannot_be_resolved_is_tried_again_later(message: Message) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    target = Target(Form.JSON, "https://no.example.org/N0tToBeShownAnywhere", "no.example.org")
    channel = Webhook("webhook", target, new_client(allow_private=False, resolver=resolver))
    error = await refused(channel, message)
    assert not error.permanent
    assert "no.example.org cannot be resolved" in error.reason
    await channel.close()


async def test_the_proxy_of_the_environment_is_used(
    message: Message,
    receiver: WebhookReceiver,
    certificate: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    asked: list[str] = []
    ended = asyncio.Event()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[0])
        there, back = await asyncio.open_connection("127.0.0.1", receiver.port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

        async def copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                while data := await source.read(4096):
                    to.write(data)
            to.close()

        await asyncio.gather(copy(reader, back), copy(there, writer))
        ended.set()

    async with serving(proxy) as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        target = Target(Form.JSON, f"https://{HOOK_HOST}/x", HOOK_HOST)
        http = new_client(allow_private=False)
        channel = Webhook("webhook", target, http, keys=(key_of(SECRET),))
        await channel.send(message)
        await channel.close()
        await ended.wait()
    assert asked == [f"CONNECT {HOOK_HOST}:443 HTTP/1.1"]
    assert receiver.ids == [message.id]
