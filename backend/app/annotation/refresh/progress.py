from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.refresh.uncounted import Uncounted
from app.annotation.sources.answers import Answer


@dataclass
class Progress:
    """The progress of a run with one source: its row of `run_sources`.

    An attempt derives the counts from the annotations when it begins, so that a commit whose
    confirmation was lost is not counted twice. After that, only this attempt writes the counts.
    """

    run_id: int
    source: str
    total: int | None
    found: int
    absent: int
    unknown: int
    weight_total: int
    weight_done: int
    confirmed: int
    changed: int

    @property
    def done(self) -> int:
        """The number of genes with an answer for this run, including the confirmed ones."""
        return self.found + self.absent + self.unknown

    def confirm(self, found: int, absent: int) -> None:
        """Count the stale answers that were kept because their release is current."""
        self.found += found
        self.absent += absent
        self.confirmed += found + absent

    def add(self, answers: Sequence[Answer], weight: int) -> None:
        """Count answers that are being committed."""
        for answer in answers:
            setattr(self, answer.state, getattr(self, answer.state) + 1)
        self.weight_done += weight


_BEGIN = text(
    """
    UPDATE run_sources SET state = 'running', started_at = coalesce(started_at, now()),
      finished_at = NULL, error = NULL, attempt_started_at = now(), weight_at_start = weight_done
    WHERE run_id = :run_id AND source = :source
    RETURNING total, confirmed, coalesce(weight_total, 0) AS weight_total, weight_done
    """
)

_ASK_AGAIN = text(
    """
    UPDATE annotations SET checked_run_id = NULL
    WHERE checked_run_id = :run_id AND source = :source AND checked_state = 'unknown'
    """
)

_COUNTS = text(
    """
    SELECT count(*) FILTER (WHERE checked_state = 'found') AS found,
           count(*) FILTER (WHERE checked_state = 'absent') AS absent,
           count(*) FILTER (WHERE checked_state = 'unknown') AS unknown
    FROM annotations WHERE checked_run_id = :run_id AND source = :source
    """
)

# a gene whose answer changed again after a retry counts once
_CHANGED = text(
    """
    SELECT count(DISTINCT gene_id) FROM annotation_history
    WHERE run_id = :run_id AND source = :source
    """
)

# A count that is null stays as it is. The former durations are added one by one; an older version
# may have had fewer buckets.
_SAVE = text(
    """
    WITH saved AS (
      UPDATE run_sources SET total = coalesce(:total, total), done = coalesce(:done, done),
        found = coalesce(:found, found), absent = coalesce(:absent, absent),
        unknown = coalesce(:unknown, unknown),
        weight_total = coalesce(:weight_total, weight_total),
        weight_done = coalesce(:weight_done, weight_done),
        confirmed = coalesce(:confirmed, confirmed), changed = coalesce(:changed, changed),
        requests = requests + :requests, rate_limited = rate_limited + :rate_limited,
        budget_seconds = budget_seconds + :budget_seconds,
        bytes_received = bytes_received + :bytes_received
      WHERE run_id = :run_id AND source = :source
    )
    INSERT INTO source_totals AS total (source, requests, rate_limited, budget_seconds,
      bytes_received, commits, commit_seconds)
    VALUES (:source, :requests, :rate_limited, :budget_seconds, :bytes_received,
      CAST(:commits AS bigint[]), :commit_seconds)
    ON CONFLICT (source) DO UPDATE SET requests = total.requests + excluded.requests,
      rate_limited = total.rate_limited + excluded.rate_limited,
      budget_seconds = total.budget_seconds + excluded.budget_seconds,
      bytes_received = total.bytes_received + excluded.bytes_received,
      commits = ARRAY(SELECT coalesce(before, 0) + coalesce(new, 0)
        FROM unnest(total.commits, excluded.commits) WITH ORDINALITY AS each(before, new, place)
        ORDER BY place),
      commit_seconds = total.commit_seconds + excluded.commit_seconds
    """
)

_FINISH = text(
    """
    UPDATE run_sources SET state = :state, error = :error, finished_at = now(),
      total = greatest(total, done)
    WHERE run_id = :run_id AND source = :source
    """
)


async def begin(connection: AsyncConnection, run_id: int, source: str, *, afresh: bool) -> Progress:
    """Begin or continue a source, and count what earlier attempts committed.

    Args:
        connection: the connection of the attempt's transaction.
        run_id: the run.
        source: the name of the source.
        afresh: whether the source has not begun or the run was retried, so that the source is asked
            again about unknown genes.
    """
    key = {"run_id": run_id, "source": source}
    if afresh:
        await connection.execute(_ASK_AGAIN, key)
    row = (await connection.execute(_BEGIN, key)).one()
    counts = (await connection.execute(_COUNTS, key)).one()
    changed = (await connection.execute(_CHANGED, key)).scalar_one()
    return Progress(
        run_id,
        source,
        row.total,
        counts.found,
        counts.absent,
        counts.unknown,
        row.weight_total,
        row.weight_done,
        row.confirmed,
        changed,
    )


async def save(connection: AsyncConnection, progress: Progress, uncounted: Uncounted) -> None:
    """Write the counts, in the transaction that commits the answers."""
    await _save(connection, asdict(progress) | {"done": progress.done}, uncounted)


async def save_spent(
    connection: AsyncConnection, run_id: int, source: str, uncounted: Uncounted
) -> None:
    """Write the uncounted traffic and durations when there is no progress to commit."""
    nothing = dict.fromkeys((*Progress.__dataclass_fields__, "done"))
    await _save(connection, nothing | {"run_id": run_id, "source": source}, uncounted)


async def _save(connection: AsyncConnection, counts: dict[str, Any], uncounted: Uncounted) -> None:
    traffic, commits = uncounted.take()
    spent = asdict(traffic) | {"commits": commits.counts, "commit_seconds": commits.seconds}
    await connection.execute(_SAVE, counts | spent)


async def finish(connection: AsyncConnection, run_id: int, source: str, error: str | None) -> None:
    """End a source, with its error if it failed."""
    state = "succeeded" if error is None else "failed"
    await connection.execute(
        _FINISH, {"run_id": run_id, "source": source, "state": state, "error": error}
    )
