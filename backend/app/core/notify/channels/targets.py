"""Parses the configured addresses of channels, and checks them as far as possible offline."""

import re
from dataclasses import dataclass

from app.core.notify.channels.addresses import is_public, literal, names_loopback, split
from app.core.notify.channels.forms import Form

_ADDRESS = "https://host/path"

WEBHOOK = "https://host/path, several separated by blanks, each with a form before it if needed: "
WEBHOOK += ", ".join(f"{form}+https://host/path" for form in Form)

_KNOWN = {
    "hooks.slack.com": Form.SLACK,
    "hooks.slack-gov.com": Form.SLACK,
    ".webhook.office.com": Form.TEAMS,
    ".logic.azure.com": Form.TEAMS,
    ".api.powerplatform.com": Form.TEAMS,
}
"""Hosts that accept only one form. A leading dot stands for any subdomain."""

_HOST = re.compile(r"[\w.-]+|[0-9a-fA-F:.]+(%\w+)?")
"""A name or an IP address. Parsers disagree on other characters, such as a backslash."""


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a webhook.

    Attributes:
        form: the form that the receiver accepts.
        url: the full address, which is a secret.
        host: the host, which is the only part that may be displayed.
    """

    form: Form
    url: str
    host: str

    def __repr__(self) -> str:
        return f"Target({self.form}, {self.host})"


def read_webhooks(text: str, *, allow_private: bool) -> tuple[Target, ...]:
    """Parse the webhooks in a setting.

    Args:
        text: addresses separated by white space.
        allow_private: whether addresses outside of the public internet are allowed. Names are
            resolved and checked later, when a connection is opened.

    Raises:
        ValueError: an address is not allowed. The message states what is, without the value.
    """
    return tuple(_webhook(address, allow_private=allow_private) for address in text.split())


def _webhook(text: str, *, allow_private: bool) -> Target:
    scheme, mark, rest = text.partition("://")
    word, plus, kind = scheme.rpartition("+")
    if not mark or kind not in {"http", "https"} or (plus and word not in set(Form)):
        raise ValueError(WEBHOOK)
    url = f"{kind}://{rest}"
    host = check_web_address(url, allow_private=allow_private)
    form = Form(word) if plus else _known_form(host)
    return Target(form, url, host)


def check_web_address(url: str, *, allow_private: bool) -> str:
    """Check an address to which this program sends requests, and return its host.

    Raises:
        ValueError: the address is not allowed. The message states what is, without the value.
    """
    try:
        parts = split(url)
    except ValueError:
        raise ValueError(_ADDRESS) from None
    host = parts.hostname or ""
    if not _HOST.fullmatch(host):
        raise ValueError(_ADDRESS)
    if parts.username is not None or parts.password is not None:
        message = "https://host/path without a user and a password before the host"
        raise ValueError(message)
    local = names_loopback(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and local and allow_private):
        raise ValueError(_ADDRESS)
    written = literal(host)
    if not allow_private and (local or (written is not None and not is_public(written))):
        message = (
            "a host in the public internet, or NOTIFY_ALLOW_PRIVATE=True beside it for a host of"
            " your own network"
        )
        raise ValueError(message)
    return host


def _known_form(host: str) -> Form:
    for known, form in _KNOWN.items():
        if host == known or (known.startswith(".") and host.endswith(known)):
            return form
    return Form.JSON
