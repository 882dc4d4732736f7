"""What the metrics count, also of the runs that were removed."""

from sqlalchemy import BigInteger, Column, DateTime, Double, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.tables.columns import metadata

event_totals = Table(
    "event_totals",
    metadata,
    Column("event", Text, primary_key=True),
    Column(
        "bucket",
        Integer,
        primary_key=True,
        autoincrement=False,
        comment="bucket of the duration (app.core.runs.buckets); -1 for events without a duration",
    ),
    Column(
        "events",
        BigInteger,
        nullable=False,
        comment="number of events of removed runs",
    ),
    Column("microseconds", BigInteger, nullable=False, comment="sum of their durations"),
)

source_totals = Table(
    "source_totals",
    metadata,
    Column("source", Text, primary_key=True),
    Column(
        "requests",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="number of requests to the upstream services",
    ),
    Column(
        "rate_limited",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="number of answers with the status 429",
    ),
    Column(
        "budget_seconds",
        Double,
        nullable=False,
        server_default="0",
        comment="seconds for which requests have waited for the request budget",
    ),
    Column(
        "bytes_received",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="bytes of response bodies as they were sent, mostly compressed",
    ),
    Column(
        "commits",
        ARRAY(BigInteger),
        nullable=False,
        server_default="{}",
        comment="number of commits by duration (app.core.runs.buckets)",
    ),
    Column(
        "commit_seconds",
        Double,
        nullable=False,
        server_default="0",
        comment="sum of the durations of the commits",
    ),
    Column(
        "succeeded_at",
        DateTime(timezone=True),
        comment="when a removed run last completed the source",
    ),
)
