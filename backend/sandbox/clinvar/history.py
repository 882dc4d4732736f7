import secrets
from array import array
from collections import OrderedDict
from typing import NamedTuple

#: Maximum number of stored sessions. Requests for older ones are answered like NCBI does.
MAX_SESSIONS = 512
_MAX_QUERIES = 100


class Found(NamedTuple):
    """The result of a search: the ids in the order of the answer, and the original term."""

    term: str
    ids: "array[int]"


class History:
    """The history server of the E-utilities: results of searches by WebEnv and query key."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, list[Found]] = OrderedDict()

    def keep(self, found: Found, web_env: str | None) -> tuple[str, int]:
        """Store a result in the named session, or in a new one, and return its address."""
        if web_env is None or web_env not in self._sessions:
            web_env = f"MCID_{secrets.token_hex(12)}"
            self._sessions[web_env] = []
        session = self._sessions[web_env]
        self._sessions.move_to_end(web_env)
        if len(session) >= _MAX_QUERIES:
            session.clear()
        session.append(found)
        if len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return web_env, len(session)

    def get(self, web_env: str, query_key: str) -> Found | None:
        """Return a stored result; None if it was dropped."""
        session = self._sessions.get(web_env)
        if session is None or not query_key.isdigit() or not 1 <= int(query_key) <= len(session):
            return None
        self._sessions.move_to_end(web_env)
        return session[int(query_key) - 1]

    def clear(self) -> None:
        """Drop all sessions."""
        self._sessions.clear()
