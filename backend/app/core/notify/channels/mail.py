import asyncio
import logging
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP as LINES_OF_SMTP
from email.utils import format_datetime, formataddr

import aiosmtplib

from app.core.notify.channels.forms import shown
from app.core.notify.channels.smtp_address import SmtpServer
from app.core.notify.message import Message, NotDelivered
from app.core.process.network import certificate_problem, trusted_authorities
from app.core.process.redaction import redact
from app.core.text.printable import in_one_line
from app.core.text.words import shortened

logger = logging.getLogger(__name__)

NAME = "Kidney genetics"
"""The sender's name, and the prefix of the subjects."""

REPLY_TIMEOUT = 20.0
"""The timeout of each reply of the server, in seconds."""

QUIT_TIMEOUT = 3.0
"""The timeout of the server's reply to QUIT, in seconds."""

ATTEMPT_TIMEOUT = 60.0
"""The timeout of one attempt, in seconds."""

MAX_TEXT = 100_000
"""Characters of a text that are sent."""

_MAX_SUBJECT = 200
_MAX_EXCERPT = 200
_FIRST_PERMANENT_CODE = 500


class Mail:
    """Sends messages by e-mail.

    Args:
        server: the SMTP server.
        sender: the address of the sender.
        recipients: the addresses of the recipients.

    Raises:
        UserError: the environment names certificates that cannot be used.
    """

    name = "e-mail"

    def __init__(self, server: SmtpServer, sender: str, recipients: tuple[str, ...]) -> None:
        self._server = server
        self._sender = sender
        self._recipients = recipients
        self._tls = None if server.tls == "off" else trusted_authorities()

    async def send(self, message: Message) -> None:
        """Deliver a message. See :class:`~app.core.notify.message.Channel`.

        The attempt succeeds if the server accepts the message for at least one recipient.
        """
        mail = self._mail(shown(message))
        try:
            refused = await self._deliver(mail.as_bytes())
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise NotDelivered(
                f"{self._server} refuses all recipients: {_excerpt(error.recipients[0])}",
                permanent=all(answer.code >= _FIRST_PERMANENT_CODE for answer in error.recipients),
            ) from error
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
            raise NotDelivered(
                f"{self._server} refuses the message: {_excerpt(error)}",
                permanent=error.code >= _FIRST_PERMANENT_CODE,
            ) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotDelivered(self._explained(error)) from error
        if refused:
            logger.warning(
                "%s accepted message %s, but refused %s of %s recipients",
                self._server,
                message.id,
                refused,
                len(self._recipients),
            )

    async def log_in(self, *, within: float) -> None:
        """Connect and log in, without sending a message.

        Args:
            within: the timeout in seconds.

        Raises:
            NotDelivered: the server cannot be used.
        """
        client = self._client()
        try:
            async with asyncio.timeout(within):
                await client.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotDelivered(self._explained(error)) from error
        finally:
            client.close()

    async def _deliver(self, content: bytes) -> int:
        """Send a message, and return the number of recipients that the server refused."""
        client = self._client()
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT):
                await client.connect()
                refused, _ = await client.sendmail(self._sender, self._recipients, content)
            # the message is accepted, whatever the server replies to QUIT
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=QUIT_TIMEOUT)
            return len(refused)
        finally:
            # a cancelled sender does not wait for the server
            client.close()

    async def close(self) -> None:
        """Do nothing, because no connection is kept open between messages."""

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            username=self._server.user,
            password=self._server.password,
            use_tls=self._server.tls == "implicit",
            start_tls=self._server.tls == "starttls",
            tls_context=self._tls,
            timeout=REPLY_TIMEOUT,
        )

    def _mail(self, message: Message) -> EmailMessage:
        """Return the message with its headers. A line break in a title cannot inject a header."""
        mail = EmailMessage(policy=LINES_OF_SMTP)
        title = shortened(message.title, _MAX_SUBJECT)
        mail["Subject"] = _encodable(f"{NAME}: {title}")
        mail["From"] = formataddr((NAME, self._sender))
        mail["To"] = ", ".join(self._recipients)
        mail["Date"] = format_datetime(message.at)
        mail["Message-ID"] = f"<{message.id}@{self._sender.rpartition('@')[2]}>"
        # prevents automatic replies, such as out-of-office messages (RFC 3834)
        mail["Auto-Submitted"] = "auto-generated"
        if message.severity == "critical":
            mail["Importance"] = "high"
        at = f"{message.at:%Y-%m-%d %H:%M %Z}"
        text = f"{shortened(message.text, MAX_TEXT).rstrip()}\n\n{message.kind}, {at}\n"
        mail.set_content(_encodable(text), cte="quoted-printable")
        return mail

    def _explained(self, error: Exception) -> str:
        if (problem := certificate_problem(error, str(self._server))) is not None:
            return problem
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            return f"{self._server} refuses the user or the password in SMTP_URL: {_excerpt(error)}"
        return f"{self._server}: {_excerpt(error)}"


def _excerpt(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        text = f"{error.code} {error.message}"
    else:
        text = str(error) or type(error).__name__
    return shortened(redact(in_one_line(text)), _MAX_EXCERPT)


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()
