"""Reads times that PostgreSQL can store and Python cannot, so that one bad row breaks no list.

PostgreSQL's ``timestamptz`` reaches from 4713 BC to the year 294276 and has two infinities (its
documentation, section 8.5); Python's ``datetime`` ends with the year 9999, and psycopg refuses the
rest.
"""

from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader

EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
LATEST = datetime(9999, 12, 30, tzinfo=UTC)
"""Both have a valid value in every time zone."""

_TYPE = psycopg.adapters.types["timestamptz"]
_DATE = len("9999-12-31")


class BoundedTimes(Loader):
    """Returns :data:`EARLIEST` or :data:`LATEST` for times beyond them."""

    as_usual = psycopg.adapters.get_loader(_TYPE.oid, Loader.format)

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        assert self.as_usual is not None
        self._loader = self.as_usual(oid, context)

    def load(self, data: Buffer) -> datetime:
        """Read a time as PostgreSQL writes it."""
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
    """Make all connections that this process opens from now on use :class:`BoundedTimes`."""
    psycopg.adapters.register_loader(_TYPE.oid, BoundedTimes)
