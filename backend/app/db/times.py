"""Reads times that Python cannot represent, so that one such row does not break a whole list.

PostgreSQL's ``timestamptz`` ranges from 4713 BC to the year 294276 and includes two infinities (see
section 8.5 of its documentation). Python's ``datetime`` ranges from year 1 to 9999, and psycopg
raises an error for all other times.
"""

from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader

EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
LATEST = datetime(9999, 12, 30, tzinfo=UTC)
"""Like :data:`EARLIEST`, valid in every time zone."""

_TYPE = psycopg.adapters.types["timestamptz"]
_DATE = len("9999-12-31")


class BoundedTimes(Loader):
    """Loads times, and replaces those out of range with :data:`EARLIEST` or :data:`LATEST`."""

    as_usual = psycopg.adapters.get_loader(_TYPE.oid, Loader.format)

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        assert self.as_usual is not None
        self._loader = self.as_usual(oid, context)

    def load(self, data: Buffer) -> datetime:
        """Convert a time from PostgreSQL's text format."""
        try:
            at: Any = self._loader.load(data)
        except psycopg.DataError:
            text = bytes(data)
            if text.startswith(b"-") or text.endswith(b"BC"):
                return EARLIEST
            if text == b"infinity" or len(text.split()[0]) > _DATE:
                return LATEST
            raise
        return EARLIEST if at < EARLIEST else min(at, LATEST)


def bound_times() -> None:
    """Use :class:`BoundedTimes` for all connections that this process opens from now on."""
    psycopg.adapters.register_loader(_TYPE.oid, BoundedTimes)
