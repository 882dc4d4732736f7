import asyncio
import base64
import ssl
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from harness.receivers.faults import Faults
from harness.receivers.server import Server
from services.process import LOOPBACK

KINDS = ("421", "451", "550", "452", "drop", "late", "slow")
"""The faults: 421 as the greeting, 451 after DATA, 550 and 452 after RCPT; `drop` closes the
connection during DATA; `late` accepts the message and then closes the connection without a reply,
so that the sender does not know that it arrived; `slow` never replies to DATA."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A message that arrived.

    Attributes:
        sender: the sender in the envelope.
        recipients: the recipients in the envelope.
        message: the parsed message.
        encrypted: whether the connection was encrypted.
        user: the user who logged in, or None if the session was anonymous.
    """

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    encrypted: bool
    user: str | None


class SmtpServer(Server):
    """Receives e-mail.

    Args:
        tls: the certificate for STARTTLS, or for TLS from the first byte if ``implicit``.
        implicit: whether connections begin with TLS.
        login: the user and the password that a client needs; None accepts e-mail from anyone.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        login: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(tls if implicit else None)
        self.starttls = None if implicit else tls
        self.login = login
        self.received: list[Mail] = []
        self.faults = Faults(KINDS)
        self.refused: set[str] = set()
        """Recipients that are rejected with 550."""

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def ids(self) -> list[str]:
        """The `Message-ID` of each message that arrived, in order, with repetitions."""
        return [str(message.message["Message-ID"]) for message in self.received]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        await _Session(self, reader, writer).run()


class _Session:
    def __init__(
        self, server: SmtpServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._fault = server.faults.take()
        self._user: str | None = None
        self._sender = ""
        self._recipients: list[str] = []

    async def run(self) -> None:
        if self._fault == "421":
            await self._say("421 busy")
            return
        await self._say("220 imitation ESMTP")
        while True:
            line = (await self._reader.readuntil(b"\r\n")).decode().rstrip("\r\n")
            verb, _, rest = line.partition(" ")
            do = getattr(self, f"_{verb.lower()}", None)
            if do is None:
                await self._say("502 not implemented")
            elif await do(rest):
                return

    async def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self._writer.drain()

    @property
    def _encrypted(self) -> bool:
        return self._writer.get_extra_info("sslcontext") is not None

    async def _ehlo(self, _: str) -> None:
        offered = ["8BITMIME", "SMTPUTF8"]
        if self._server.starttls is not None and not self._encrypted:
            offered.append("STARTTLS")
        if self._server.login is not None:
            offered.append("AUTH PLAIN LOGIN")
        await self._say("250-imitation", *(f"250-{name}" for name in offered), "250 SIZE 1000000")

    async def _starttls(self, _: str) -> None:
        if self._server.starttls is None or self._encrypted:
            await self._say("502 not implemented")
            return
        await self._say("220 go ahead")
        await self._writer.start_tls(self._server.starttls)

    async def _auth(self, rest: str) -> None:
        method, _, given = rest.partition(" ")
        if method == "LOGIN":
            if not given:
                await self._say("334 VXNlcm5hbWU6")
                given = (await self._reader.readuntil(b"\r\n")).decode()
            user = base64.b64decode(given).decode()
            await self._say("334 UGFzc3dvcmQ6")
            password = base64.b64decode(await self._reader.readuntil(b"\r\n")).decode()
        else:
            _, user, password = base64.b64decode(given).decode().split("\0")
        if (user, password) == self._server.login:
            self._user = user
            await self._say("235 welcome")
        else:
            await self._say("535 wrong user or password")

    async def _mail(self, rest: str) -> None:
        if self._server.login is not None and self._user is None:
            await self._say("530 log in first")
            return
        self._sender, self._recipients = _address(rest), []
        await self._say("250 ok")

    async def _rcpt(self, rest: str) -> None:
        recipient = _address(rest)
        if recipient in self._server.refused:
            await self._say("550 no such user")
        elif self._fault in {"550", "452"}:
            await self._say(f"{self._fault} not now")
        else:
            self._recipients.append(recipient)
            await self._say("250 ok")

    async def _data(self, _: str) -> bool:
        if not self._recipients:
            await self._say("503 no recipients")
            return False
        await self._say("354 go ahead")
        if self._fault == "drop":
            return True
        text = await self._reader.readuntil(b"\r\n.\r\n")
        if self._fault == "slow":
            await asyncio.Event().wait()
        if self._fault == "451":
            await self._say("451 try later")
            return False
        lines = text.removesuffix(b".\r\n").split(b"\r\n")
        whole = b"\r\n".join(line.removeprefix(b".") for line in lines)
        message = message_from_bytes(whole, policy=policy.SMTP)
        self._server.received.append(
            Mail(self._sender, tuple(self._recipients), message, self._encrypted, self._user)
        )
        if self._fault == "late":
            return True
        await self._say("250 taken")
        return False

    async def _rset(self, _: str) -> None:
        await self._say("250 ok")

    async def _noop(self, _: str) -> None:
        await self._say("250 ok")

    async def _quit(self, _: str) -> bool:
        await self._say("221 bye")
        return True


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
