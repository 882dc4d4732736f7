"""What every attempt has written, kept by the database itself, and what may not be in there."""

from collections.abc import Callable
from typing import Any

# Every write of an annotation, with what the run looked like to the transaction that made it.
WATCH = """
CREATE TABLE written (
  at timestamptz DEFAULT clock_timestamp(), xid xid8 DEFAULT pg_current_xact_id(),
  gene_id bigint, source text, state text, run_id bigint, epoch int, lawful boolean);
CREATE FUNCTION note_write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO written (gene_id, source, state, run_id, epoch, lawful)
  SELECT NEW.gene_id, NEW.source, NEW.checked_state, NEW.checked_run_id, r.epoch,
    r.state = 'running' AND w.session = current_setting('application_name')
  FROM runs r LEFT JOIN workers w ON w.id = r.worker_id WHERE r.id = NEW.checked_run_id;
  RETURN NULL;
END $$;
CREATE TRIGGER note_write AFTER INSERT OR UPDATE ON annotations FOR EACH ROW
WHEN (NEW.checked_run_id IS NOT NULL) EXECUTE FUNCTION note_write();
"""

_MISSING = """
SELECT s.source, count(*) FROM run_sources s CROSS JOIN genes g
LEFT JOIN annotations a ON a.gene_id = g.id AND a.source = s.source
WHERE s.run_id = %(run_id)s
AND (a.checked_run_id IS NULL OR a.checked_run_id < %(since)s)
GROUP BY 1
"""

_MISCOUNTED = """
SELECT s.* FROM run_sources s WHERE s.run_id = %(run_id)s AND (s.state <> 'succeeded'
  OR s.done <> s.total OR s.done <> (SELECT count(DISTINCT gene_id)
  FROM written w WHERE w.run_id = s.run_id AND w.source = s.source))
"""

# an operator's retry asks again what could not be found out: that is no double
_DOUBLED = """
SELECT run_id, source, gene_id, at, epoch FROM (
  SELECT w.*, lag(w.at) OVER same AS at_before, lag(w.state) OVER same AS state_before
  FROM written w JOIN (
    SELECT run_id, source, gene_id FROM written GROUP BY 1, 2, 3 HAVING count(*) > 1
  ) several USING (run_id, source, gene_id)
  WINDOW same AS (PARTITION BY run_id, source, gene_id ORDER BY w.at)
) again WHERE at_before IS NOT NULL AND (state_before <> 'unknown' OR NOT EXISTS (
  SELECT FROM run_events e WHERE e.run_id = again.run_id AND e.event = 'reopened'
  AND e.at BETWEEN at_before AND again.at))
"""

_UNLAWFUL = "SELECT run_id, epoch, count(*) FROM written WHERE lawful IS NOT TRUE GROUP BY 1, 2"

Rows = Callable[..., list[dict[str, Any]]]


class Ledger:
    """Finds errors in the record of all writes.

    Args:
        rows: executes a query with its named parameters.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def missing(self, run_id: int, *, since: int) -> list[dict[str, Any]]:
        """Return the genes, by source, that no run from `since` to this one has checked."""
        return self._rows(_MISSING, run_id=run_id, since=since)

    def miscounted(self, run_id: int) -> list[dict[str, Any]]:
        """Return the sources of a succeeded run that are not done or whose counts are wrong."""
        return self._rows(_MISCOUNTED, run_id=run_id)

    def doubled(self) -> list[dict[str, Any]]:
        """Return the answers that were written more than once for the same run."""
        return self._rows(_DOUBLED)

    def unlawful(self) -> list[dict[str, Any]]:
        """Return the attempts that wrote after their run had been cancelled or taken over."""
        return self._rows(_UNLAWFUL)
