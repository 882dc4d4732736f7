from app.core.notify.at_once import send_at_once
from app.core.notify.at_once import test_message as a_test_message
from app.core.notify.message import Message, NotDelivered


class Scripted:
    """A channel whose attempts end as a script says."""

    def __init__(self, name: str, *script: NotDelivered | None) -> None:
        self.name = name
        self.script = list(script)
        self.sent: list[Message] = []
        self.closed = False

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if (step := self.script.pop(0)) is not None:
            raise step

    async def close(self) -> None:
        self.closed = True


async def test_each_channel_reports_the_outcome_of_the_delivery() -> None:
    good, bad = Scripted("good", None), Scripted("bad", NotDelivered("no such user"))
    outcomes = await send_at_once([good, bad], a_test_message("host"))
    assert [(each.channel, each.delivered, each.reason) for each in outcomes] == [
        ("good", True, ""),
        ("bad", False, "no such user"),
    ]
    assert good.closed
    assert bad.closed


async def test_only_the_channel_that_did_not_deliver_is_tried_again_with_the_same_message() -> None:
    good, slow = Scripted("good", None), Scripted("slow", NotDelivered("busy"), None)
    outcomes = await send_at_once([good, slow], a_test_message("host"), pauses=(0.0, 0.0))
    assert all(each.delivered for each in outcomes)
    assert len(good.sent) == 1
    assert len(slow.sent) == 2
    assert slow.sent[0] == slow.sent[1]


async def test_permanent_failures_are_not_retried() -> None:
    gone = Scripted("gone", NotDelivered("gone", permanent=True))
    outcomes = await send_at_once([gone], a_test_message("host"), pauses=(0.0, 0.0))
    assert [each.reason for each in outcomes] == ["gone"]
    assert len(gone.sent) == 1
