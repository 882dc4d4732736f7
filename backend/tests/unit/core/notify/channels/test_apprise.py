import sys

import pytest

from app.core.errors import UserError
from app.core.notify.channels import through_apprise
from app.core.notify.channels.through_apprise import ThroughApprise
from app.core.notify.message import Message, NotDelivered
from harness.receivers import WebhookReceiver

# Apprise's own: Python 3.13 has no imghdr
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


async def test_a_message_goes_through_apprise(message: Message) -> None:
    with WebhookReceiver() as receiver:
        channel = ThroughApprise("apprise", f"json://127.0.0.1:{receiver.port}/hook")
        await channel.send(message)
        await channel.close()
    (arrived,) = receiver.received
    assert arrived.body["title"] == "Run 41 failed"
    assert "just retry 41" in arrived.body["message"]
    assert arrived.body["type"] == "failure"


async def test_a_service_that_refuses_gets_the_message_later(message: Message) -> None:
    with WebhookReceiver() as receiver:
        url = f"json://127.0.0.1:{receiver.port}/T0keNofApprise77"
        channel = ThroughApprise("apprise", url)
        receiver.faults.queue("500")
        with pytest.raises(NotDelivered) as caught:
            await channel.send(message)
        assert not caught.value.permanent
        assert "500" in caught.value.reason
        assert "T0keNofApprise77" not in caught.value.reason
        await channel.send(message)
    assert len(receiver.received) == 1


async def test_an_address_unknown_to_apprise_is_reported_without_showing_it(
    message: Message,
) -> None:
    with pytest.raises(NotDelivered) as caught:
        await ThroughApprise("apprise 2", "nosuch://T0keNofApprise77").send(message)
    assert caught.value.permanent
    assert "address of apprise 2" in caught.value.reason
    assert "T0keNofApprise77" not in caught.value.reason


def test_without_apprise_the_message_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    monkeypatch.setattr(through_apprise, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"requirements/apprise\.txt") as caught:
        ThroughApprise("apprise", "json://localhost")
    assert "sh requirements/install.sh apprise" in str(caught.value)
