"""Counts statements in PostgreSQL's log.

The server of the wheel has no `pg_stat_statements`. With `log_min_duration_statement = 0` it logs
every statement, whichever way the client sent it (PostgreSQL 18, chapter 19.8).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from services.postgres import Postgres

_MARK = "bench|"
_SETTINGS = {"log_min_duration_statement": "0", "log_line_prefix": f"{_MARK}%a|"}
# a client sends a statement as one message, or as parse, bind and execute; only execute is counted
_ENTRY = re.compile(
    r"bench\|(?P<session>[^|]*)\|LOG:  duration: (?P<ms>[\d.]+) ms  "
    r"(?P<step>statement|parse|bind|execute)[^:]*: (?P<text>.*)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that PostgreSQL has executed, or a part of its preparation.

    Attributes:
        session: `application_name` of the client.
        ms: milliseconds that it took.
        executed: False for a parse or a bind. Its milliseconds count, but it is not a statement.
        text: the statement, on one line.
    """

    session: str
    ms: float
    executed: bool
    text: str


def statements(log: str) -> list[Statement]:
    """Read the statements from a log that was written in a block of `logging_statements`."""
    # continuation lines of an entry begin with a tab
    entries = re.sub(r"\n\t", " ", log).splitlines()
    found = [match for entry in entries if (match := _ENTRY.fullmatch(entry))]
    return [
        Statement(
            session=match["session"],
            ms=float(match["ms"]),
            executed=match["step"] in {"statement", "execute"},
            text=" ".join(match["text"].split()),
        )
        for match in found
    ]


@contextmanager
def logging_statements(postgres: Postgres) -> Iterator[list[Statement]]:
    """Make PostgreSQL log all statements. The list is filled at the end of the block."""
    found: list[Statement] = []
    _configure(postgres, "ALTER SYSTEM SET {} = {}")
    begin = postgres.log.stat().st_size
    try:
        yield found
    finally:
        with postgres.log.open("rb") as file:
            file.seek(begin)
            found += statements(file.read().decode(errors="replace"))
        _configure(postgres, "ALTER SYSTEM RESET {}")


def _configure(postgres: Postgres, statement: str) -> None:
    with psycopg.connect(postgres.superuser_dsn, autocommit=True) as connection:
        for name, value in _SETTINGS.items():
            made = sql.SQL(statement).format(sql.Identifier(name), sql.Literal(value))
            connection.execute(made)
        connection.execute("SELECT pg_reload_conf()")
