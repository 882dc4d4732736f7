"""The largest values of identifier columns. PostgreSQL rejects larger ones."""

MAX_ID = 2**63 - 1
"""The largest `bigint` of PostgreSQL, and so the largest possible id."""

MAX_EPOCH = 2**31 - 1
"""The largest `integer` of PostgreSQL."""
