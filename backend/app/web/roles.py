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
"""Seconds after which one has to log in again. A screen on a wall shows pages as a viewer."""

_SEALED = "said "
"""So that no sealed text can be used as a cookie, which begins with a role."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who logged in.

    Attributes:
        role: an admin acts, and a viewer only reads.
    """

    role: Role

    @property
    def actor(self) -> Actor:
        """Who is recorded when this person does something."""
        return Actor(self.role, Way.PAGES)

    @property
    def may_act(self) -> bool:
        """Whether this person may change something."""
        return self.role == "admin"


def session_of(request: Request) -> Session:
    """Return who sent a request. It has passed the gate, so that there is a session."""
    session: Session = request.scope["session"]
    return session


def actor_of(request: Request) -> Actor:
    """Return who is recorded when a request does something."""
    return session_of(request).actor


class Roles:
    """Knows the tokens, and the signed cookies that stand for them.

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
        """Return whose token this is; None if it is nobody's."""
        found: Role | None = None
        given = token.encode()
        for role in reversed(self._tokens):  # if the two are equal, it is the admin's
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
        # it is signed, so that its time is a number of this program
        return Session(known) if time.time() - int(began) < LIFETIME[known] else None

    def sealed(self, session: Session, text: str) -> str:
        """Return a text for the address of a page, so that the page can tell who wrote it."""
        return f"{text}.{self._sign(session.role, _SEALED + text)}"

    def opened(self, session: Session, sealed: str) -> str:
        """Return a sealed text; empty if somebody else wrote it, or for another session's role."""
        text, _, signature = sealed.rpartition(".")
        right = self._sign(session.role, _SEALED + text)
        return text if hmac.compare_digest(signature.encode(), right.encode()) else ""

    def _sign(self, role: Role, content: str) -> str:
        return hmac.digest(self._keys[role], content.encode(), hashlib.sha256).hex()
