"""The advisory locks by which processes know of each other."""

LOCK_CLASS = 5_209_010
"""The first half of a worker's advisory lock; the second is its id."""

LOCKED_WORKERS = f"""
  SELECT objid::bigint AS worker_id FROM pg_locks
  WHERE locktype = 'advisory' AND classid = {LOCK_CLASS} AND objsubid = 2 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""The ids of the workers whose session stands; ``pg_locks`` spans all databases of a server."""

EXECUTOR_LOCK = (5_209_011, 1)
"""Held by the one process that executes runs when there are no arq workers."""
