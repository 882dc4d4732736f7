"""Who may see the pages, and who may act."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr
from starlette.requests import Request

from app.core.runs.actors import Actor, Way

Role = Literal["admin", "viewer"]

HOUR = 3_600
LIFETIME: Mapping[Role, int] = {"admin": 12 * HOUR, "viewer": 30 * 24 * HOUR}
"""Seconds after which a session expires. A wall display uses the viewer's role."""

_SEALED = "said "
"""The prefix of sealed texts, so that none can be used as a cookie, which begins with a role."""


@dataclass(frozen=True, slots=True)
class Session:
    """The session of a person who has logged in.

    Attributes:
        role: the role; an admin may act, a viewer only reads.
    """

    role: Role

    @property
    def actor(self) -> Actor:
        """The actor recorded for actions of this session."""
        return Actor(self.role, Way.PAGES)

    @property
    def may_act(self) -> bool:
        """Whether this session may change anything."""
        return self.role == "admin"


def session_of(request: Request) -> Session:
    """Return the session of a request that has passed the gate."""
    session: Session = request.scope["session"]
    return session


def actor_of(request: Request) -> Actor:
    """Return the actor recorded for actions of a request."""
    return session_of(request).actor


class Roles:
    """Checks tokens, and signs and verifies the cookies of sessions.

    A cookie contains no token. Its signature is made with a key that is derived from the token, so
    that all sessions of a token end when the token is changed.

    Args:
        admin: ``ADMIN_TOKEN``.
        viewer: ``VIEWER_TOKEN``.
    """

    def __init__(self, admin: SecretStr | None, viewer: SecretStr | None) -> None:
        tokens: dict[Role, SecretStr | None] = {"admin": admin, "viewer": viewer}
        self._tokens = {
            role: token.get_secret_value().encode()
            for role, token in tokens.items()
            if token is not None
        }
        self._keys = {
            role: hmac.digest(token, b"kidney-genetics pages", hashlib.sha256)
            for role, token in self._tokens.items()
        }

    @property
    def open(self) -> bool:
        """Whether anybody can log in."""
        return bool(self._tokens)

    def role_of(self, token: str) -> Role | None:
        """Return the role of a token; None if the token is wrong."""
        found: Role | None = None
        given = token.encode()
        for role in reversed(self._tokens):  # if both tokens are equal, the role is admin
            if hmac.compare_digest(given, self._tokens[role]):
                found = role
        return found

    def cookie(self, role: Role) -> str:
        """Return the value of the cookie of a new session."""
        content = f"{role}.{int(time.time())}.{secrets.token_urlsafe(12)}"
        return f"{content}.{self._sign(role, content)}"

    def session(self, cookie: str | None) -> Session | None:
        """Return the session of a cookie; None if it is missing, forged or too old."""
        content, _, signature = (cookie or "").rpartition(".")
        role, _, rest = content.partition(".")
        began = rest.partition(".")[0]
        if role not in self._keys or not (began.isascii() and began.isdigit()):
            return None
        known: Role = "admin" if role == "admin" else "viewer"
        given, right = signature.encode(), self._sign(known, content).encode()
        if not hmac.compare_digest(given, right):
            return None
        # the signature is valid, so the time is a number
        return Session(known) if time.time() - int(began) < LIFETIME[known] else None

    def sealed(self, session: Session, text: str) -> str:
        """Return a signed text for the URL of a page, so that the page can verify its origin."""
        return f"{text}.{self._sign(session.role, _SEALED + text)}"

    def opened(self, session: Session, sealed: str) -> str:
        """Return the verified text; empty if the signature is wrong or belongs to another role."""
        text, _, signature = sealed.rpartition(".")
        right = self._sign(session.role, _SEALED + text)
        return text if hmac.compare_digest(signature.encode(), right.encode()) else ""

    def _sign(self, role: Role, content: str) -> str:
        return hmac.digest(self._keys[role], content.encode(), hashlib.sha256).hex()
