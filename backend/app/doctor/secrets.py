"""Keeps secrets out of what the checks say."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from app.core.process import redaction
from app.core.process.configured_secrets import configured_secrets, secrets_of
from app.doctor.context import Context


def known_secrets(context: Context) -> frozenset[str]:
    """Return the secret values that the settings, the environment and ``.env`` hold."""
    found = configured_secrets(context.environ, context.env_text or "")
    return found if context.refusal is not None else found | secrets_of(context.settings)


def hide(text: str, secrets: Iterable[str]) -> str:
    """Replace secrets by ``***``, and write an address as ``user@host``.

    Unlike `redaction.redact` it leaves alone what only looks like a secret: a check says
    ``kidney@db.example.org`` on purpose, and its commands name variables like tokens.
    """
    return redaction.hide_in_addresses(redaction.hide(text, secrets), instead="")


def where(address: str) -> str:
    """Write a server's address as ``user@host:port/name``, without its password and options."""
    try:
        url = urlsplit(address)
        port = f":{url.port}" if url.port else ""
    except ValueError:
        return "an address that cannot be read"
    user = f"{url.username}@" if url.username else ""
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname or ""
    return f"{user}{host}{port}{url.path}"
