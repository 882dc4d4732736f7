"""Reads genes and answers from one state of the database, batch by batch."""

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg

from app.annotation.data.export.order import Order
from app.annotation.data.export.rows import Batch
from app.db import address

SESSION = "kidney-genetics export"
"""``application_name`` of the sessions that read for exports."""

GENES_AT_A_TIME = 100
"""The answers about so many genes are in memory: a few MB."""

_SETTINGS = {
    # a reader who takes nothing for this long keeps neither the session nor dead rows
    "idle_in_transaction_session_timeout": "5min",
    # compiling a query for a few rows takes longer than the query
    "jit": "off",
}

_NOTICE_END = "SET client_connection_check_interval = '200ms'"
"""Lets the server end a query soon after this process has been killed."""


def connect(dsn: str, snapshot: str) -> psycopg.Connection[Any]:
    """Open a transaction that sees the same state of the database as another one.

    Args:
        dsn: the address of the database.
        snapshot: that the other transaction exported.

    Raises:
        psycopg.Error: PostgreSQL cannot be reached, or the other transaction has ended.
    """
    parameters: dict[str, Any] = address.parameters(dsn, session=SESSION)
    connection = psycopg.connect(**parameters, autocommit=True)
    for name, value in _SETTINGS.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    # not every operating system can tell the server; there the query ends with its batch
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

    The answers are read by the ids of some genes at a time. One query for all of them would have to
    sort the data of all genes on the server's disk.
    """
    with connection.cursor(name="genes") as genes, connection.cursor(binary=True) as answers:
        genes.execute(order.genes.statement.encode(), order.genes.values)
        while some := genes.fetchmany(GENES_AT_A_TIME):
            values = {**order.answers.values, "gene_ids": [row[0] for row in some]}
            answers.execute(order.answers.statement.encode(), values)
            yield some, answers
