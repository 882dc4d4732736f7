"""Reads genes and answers in batches, from one consistent state of the database."""

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg

from app.annotation.data.export.order import Order
from app.annotation.data.export.rows import Batch
from app.db import address

SESSION = "kidney-genetics export"
"""The ``application_name`` of the sessions of exports."""

GENES_AT_A_TIME = 100
"""The number of genes whose answers are in memory at a time: a few MB."""

_SETTINGS = {
    # ends the session of a stalled reader, so that PostgreSQL can remove dead rows
    "idle_in_transaction_session_timeout": "5min",
    # compiling a query for a few rows takes longer than the query
    "jit": "off",
}

_NOTICE_END = "SET client_connection_check_interval = '200ms'"
"""Lets the server cancel a query soon after this process was killed."""


def connect(dsn: str, snapshot: str) -> psycopg.Connection[Any]:
    """Open a transaction that sees the same state of the database as another one.

    It is a connection of psycopg: the statements come compiled from another process, so SQLAlchemy
    is not imported here.

    Args:
        dsn: the address of the database.
        snapshot: the id of the snapshot that the other transaction exported.

    Raises:
        psycopg.Error: PostgreSQL cannot be reached, or the other transaction has ended.
    """
    parameters: dict[str, Any] = address.parameters(dsn, session=SESSION)
    connection = psycopg.connect(**parameters, autocommit=True)
    for name, value in _SETTINGS.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    # not every operating system supports it; there, the query ends with its batch
    with contextlib.suppress(psycopg.errors.InvalidParameterValue):
        connection.execute(_NOTICE_END)
    connection.autocommit = False
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    connection.execute(
        psycopg.sql.SQL("SET TRANSACTION SNAPSHOT {}").format(psycopg.sql.Literal(snapshot))
    )
    return connection


def batches(connection: psycopg.Connection[Any], order: Order) -> Iterator[Batch]:
    """Read all genes of an order with their answers, in the order of the genes.

    The answers are read for some genes at a time. A single query would make the server sort the
    data of all genes on disk.
    """
    with connection.cursor(name="genes") as genes, connection.cursor(binary=True) as answers:
        genes.execute(order.genes.statement.encode(), order.genes.values)
        while some := genes.fetchmany(GENES_AT_A_TIME):
            values = {**order.answers.values, "gene_ids": [row[0] for row in some]}
            answers.execute(order.answers.statement.encode(), values)
            yield some, answers
