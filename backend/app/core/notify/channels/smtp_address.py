"""Parses `SMTP_URL` and e-mail addresses."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from app.core.notify.channels.addresses import names_loopback, split

FORM = (
    "smtps://user:password@host:465 (TLS), smtp://user:password@host:587 (STARTTLS), or"
    " smtp://localhost:25; special characters in the user and the password percent-encoded"
)

_PORTS = {"smtps": 465, "smtp": 587}

_PERSON = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,253}")
"""An address without a name, quotes or comments, so that it cannot inject a header."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """The SMTP server.

    Attributes:
        host: the host name.
        port: the port.
        tls: ``implicit``: TLS from the first byte; ``starttls``: TLS is required before anything
            else is sent; ``off``: no TLS.
        user: the user; None means no login.
        password: the password of the user.
    """

    host: str
    port: int
    tls: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Return the address without its credentials."""
        return f"{self.host}:{self.port}"


def parse(url: str) -> SmtpServer:
    """Parse the address of a server.

    A connection to another host is encrypted, unless ``?tls=off`` permits that others on the
    network read the messages. A password is never sent unencrypted to another host.

    Raises:
        ValueError: the address is invalid. The message states what is allowed, without the value.
    """
    try:
        parts = split(url)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ValueError(FORM) from None
    host = parts.hostname
    if parts.scheme not in _PORTS or not host or parts.path not in {"", "/"}:
        raise ValueError(FORM)
    if parts.fragment or options.keys() - {"tls"}:
        raise ValueError(FORM)
    local = names_loopback(host)
    user, password = (unquote(part) if part else None for part in (parts.username, parts.password))
    tls = _tls(parts.scheme, options.get("tls"), local=local)
    if tls == "off" and user is not None and not local:
        message = "a server with TLS, because the password would be sent unencrypted: " + FORM
        raise ValueError(message)
    if (user is None) != (password is None):
        message = "a user and a password, or neither: " + FORM
        raise ValueError(message)
    return SmtpServer(host, parts.port or _PORTS[parts.scheme], tls, user, password)


def _tls(scheme: str, option: str | None, *, local: bool) -> str:
    if scheme == "smtps":
        if option is not None:
            raise ValueError(FORM)
        return "implicit"
    if option not in {None, "off", "starttls"}:
        message = "smtp://host:port?tls=off, if others on the network may read the messages"
        raise ValueError(message)
    return option or ("off" if local else "starttls")


def parse_people(text: str) -> tuple[str, ...]:
    """Parse e-mail addresses that are separated by commas.

    Raises:
        ValueError: an address is invalid, or there is none. The message states what is allowed.
    """
    people = tuple(person.strip() for person in text.split(",") if person.strip())
    if not people or not all(_PERSON.fullmatch(person) for person in people):
        message = "addresses like you@example.org, separated by commas"
        raise ValueError(message)
    return people
