"""The advisory locks by which processes know of each other."""

LOCK_CLASS = "'workers'::regclass::oid"
"""The first half of a worker's advisory lock, in SQL; the second is its id. Workers of another
installation in the same database have a table of their own."""

LOCKED_WORKERS = f"""
  SELECT objid::bigint AS worker_id FROM pg_locks
  WHERE locktype = 'advisory' AND classid = {LOCK_CLASS} AND objsubid = 2 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""The ids of the workers whose session stands; ``pg_locks`` spans all databases of a server."""

EXECUTOR_LOCK = "'runs'::regclass::oid::int, 1"
"""Held by the one process that executes runs when there are no arq workers."""
