"""Keeps secrets out of the results."""

from collections.abc import Iterable

from app.core.process import redaction
from app.core.process.configured_secrets import configured_secrets, secrets_of
from app.doctor.context import Context


def known_secrets(context: Context) -> frozenset[str]:
    """Return the secret values in the settings, the environment and ``.env``."""
    found = configured_secrets(context.environ, context.env_text or "")
    return found if context.refusal is not None else found | secrets_of(context.settings)


def hide(text: str, secrets: Iterable[str]) -> str:
    """Replace secrets with ``***``, and remove passwords from addresses.

    Unlike `redaction.redact`, this keeps text that only resembles a secret: checks report
    addresses such as ``kidney@db.example.org``, and their commands contain the names of tokens.
    """
    return redaction.hide_in_addresses(redaction.hide(text, secrets), instead="")
