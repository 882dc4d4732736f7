"""The signature of webhooks: Standard Webhooks 1.0, symmetric (https://www.standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"

MIN_BYTES, MAX_BYTES = 24, 64
"""The lengths of a secret that the specification allows."""


def key_of(secret: str) -> bytes:
    """Decode the key in a secret: `whsec_` and 24 to 64 bytes in base64.

    Raises:
        ValueError: the secret has another form.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not MIN_BYTES <= len(key) <= MAX_BYTES:
        message = (
            f"{PREFIX} and {MIN_BYTES} to {MAX_BYTES} random bytes in base64, as from: "
            f"echo {PREFIX}$(openssl rand -base64 32)"
        )
        raise ValueError(message)
    return key


def headers(
    keys: tuple[bytes, ...], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """Return the headers of a webhook.

    Args:
        keys: the keys, each of which adds a signature. During a rotation, a receiver may know the
            old or the new one. Without a key there is no signature.
        message_id: the id of the message, which is the same in each attempt.
        timestamp: the time of this attempt, in seconds since 1970.
        body: the body, exactly as it is sent.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys)
    found = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if keys:
        found["webhook-signature"] = " ".join(
            f"v1,{signature.decode()}" for signature in signatures
        )
    return found
