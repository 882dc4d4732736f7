"""Times in the future that PostgreSQL's clock left behind when it was ahead: they count as unknown.

The expressions are SQL over a row of `runs` or of `workers`.
"""

READY = "(not_before IS NULL OR not_before <= now() OR not_before > now() + interval '25 h')"
"""Whether a queued run may start. No setting lets one wait for more than a day."""

RUNG_LATER = "rung_at > now() + interval '1 minute'"
"""Whether a bell was rung at a time that is still to come."""

BEAT_OF_THE_FUTURE = """
UPDATE workers SET heartbeat_at = clock_timestamp() WHERE id IN (
  SELECT id FROM workers WHERE stopped_at IS NULL
  AND heartbeat_at > clock_timestamp() + interval '10 s' FOR UPDATE SKIP LOCKED)
"""
"""Takes the heartbeat of a worker for one of now, so that it grows stale if there is no other."""
