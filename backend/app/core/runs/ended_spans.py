"""Builds the spans of ended attempts and runs from PostgreSQL.

Each worker that sends traces queries about once a second for attempts and runs that have ended,
whichever process executed or ended them. `runs.traced_epoch` keeps two workers from sending the
same spans. So the span of an attempt is sent even if its worker was killed, and the span of a run
even if it was cancelled from the command line.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.process.tracing import ids
from app.core.process.tracing.kinds import ATTEMPT, REOPENED, RUN, SOURCE
from app.core.process.tracing.spans import Span, Value
from app.core.runs.events import Event
from app.core.runs.totals import ENDS

_MAX_AGE = 900.0
"""Seconds. Runs that ended earlier are not sent when traces are switched on."""

_ENDED = text(
    """
    WITH due AS (
      SELECT id, traced_epoch FROM runs
      WHERE (state IN ('queued', 'running') AND traced_epoch < epoch - 1)
        OR (finished_at > now() - make_interval(secs => :max_age) AND traced_epoch < epoch)
      ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED
    ), run AS (
      UPDATE runs SET
        traced_epoch = CASE WHEN finished_at IS NULL THEN epoch - 1 ELSE epoch END
      FROM due WHERE runs.id = due.id
      RETURNING runs.*, due.traced_epoch AS traced_before
    )
    SELECT id, task, sources, mode, attempts, interruptions, losses, created_at, traceparent,
      traced_before, traced_epoch
    FROM run
    """
)
"""Selects the runs with ended attempts, or an end, that were not sent yet, and marks them as sent.
"""

_ENDS = text(
    """
    SELECT ended.run_id, ended.at, ended.event, ended.detail ->> 'reason' AS error,
      reopened.at AS reopened_at, reopened.epoch AS reopened_epoch
    FROM unnest(CAST(:run_ids AS bigint[]), CAST(:after AS int[]), CAST(:until AS int[]))
        AS run(id, after, until)
      JOIN run_events ended ON ended.run_id = run.id AND ended.epoch > run.after
        AND ended.epoch <= run.until AND ended.event IN ('succeeded', 'failed', 'cancelled')
      LEFT JOIN LATERAL (
        SELECT at, epoch FROM run_events earlier
        WHERE earlier.run_id = ended.run_id AND earlier.id < ended.id
          AND earlier.event = 'reopened'
        ORDER BY earlier.id DESC LIMIT 1) reopened ON true
    ORDER BY ended.id
    """
)

_ATTEMPTS = text(
    """
    SELECT began.run_id, began.epoch, began.at AS began_at, ended.at AS ended_at, ended.event,
      ended.detail, CAST(began.detail ->> 'worker' AS int) AS worker, worker.host
    FROM unnest(CAST(:run_ids AS bigint[]), CAST(:after AS int[]), CAST(:until AS int[]))
        AS run(id, after, until)
      JOIN run_events began ON began.run_id = run.id AND began.epoch > run.after
        AND began.epoch <= run.until AND began.event IN ('claimed', 'taken over')
      CROSS JOIN LATERAL (
        SELECT at, event, detail FROM run_events later
        WHERE later.run_id = began.run_id AND later.epoch = began.epoch AND later.id > began.id
          AND later.event = ANY(CAST(:endings AS text[]))
        ORDER BY later.id LIMIT 1) ended
      LEFT JOIN workers worker ON worker.id = CAST(began.detail ->> 'worker' AS int)
    ORDER BY began.id
    """
)

_SOURCES = text(
    """
    SELECT run_id, source, state, total, done, unknown, changed, finished_at, error
    FROM run_sources WHERE run_id = ANY(:run_ids) ORDER BY run_id, position
    """
)

_ERRORS = {Event.LOST, Event.ATTEMPT_FAILED, Event.FAILED, Event.TIMED_OUT, Event.RELEASED}
"""The events that make the span of an attempt an error."""

_DONE = {"succeeded", "failed", "held"}


async def ended_spans(
    connection: AsyncConnection, trace_of: Callable[[int], int]
) -> list[list[Span]]:
    """Return the spans of attempts, their sources, and runs that have ended and were not sent yet.

    Args:
        connection: an autocommit connection.
        trace_of: returns the id of a run's trace.

    Returns:
        lists of spans; the spans of one list are sent or dropped together.
    """
    runs = (await connection.execute(_ENDED, {"max_age": _MAX_AGE})).mappings().all()
    if not runs:
        return []
    run_ids = [run["id"] for run in runs]
    values = {
        "run_ids": run_ids,
        "after": [run["traced_before"] for run in runs],
        "until": [run["traced_epoch"] for run in runs],
    }
    ends = (await connection.execute(_ENDS, values)).mappings().all()
    values["endings"] = list(ENDS)
    attempts = (await connection.execute(_ATTEMPTS, values)).mappings().all()
    sources = (await connection.execute(_SOURCES, {"run_ids": run_ids})).mappings().all()
    found = []
    for attempt in attempts:
        trace_id = trace_of(attempt["run_id"])
        of_run = [source for source in sources if source["run_id"] == attempt["run_id"]]
        found.append([_attempt(trace_id, attempt), *_sources(trace_id, attempt, of_run)])
    by_id = {run["id"]: run for run in runs}
    found.append([_run(trace_of(end["run_id"]), by_id[end["run_id"]], end) for end in ends])
    return found


def _run(trace_id: int, run: RowMapping, end: RowMapping) -> Span:
    reopened = end["reopened_epoch"]
    root = ids.run_span(trace_id)
    attributes: dict[str, Value] = {
        "run.id": run["id"],
        "run.sources": "all" if run["sources"] is None else ", ".join(run["sources"]),
        "run.state": end["event"],
    }
    columns = ("task", "mode", "attempts", "interruptions", "losses")
    attributes |= {f"run.{name}": run[name] for name in columns}
    return Span(
        RUN if reopened is None else REOPENED,
        trace_id,
        root if reopened is None else ids.reopened_span(trace_id, reopened),
        None if reopened is None else root,
        _nanoseconds(run["created_at"] if reopened is None else end["reopened_at"]),
        _nanoseconds(end["at"]),
        attributes=attributes,
        error=end["error"] or "failed" if end["event"] == Event.FAILED else None,
        caller=ids.read_traceparent(run["traceparent"] or "") if reopened is None else None,
    )


def _attempt(trace_id: int, attempt: RowMapping) -> Span:
    detail: Mapping[str, Any] = attempt["detail"]
    attributes = {
        "run.id": attempt["run_id"],
        "attempt.epoch": attempt["epoch"],
        "attempt.worker": attempt["worker"],
        "attempt.host": attempt["host"],
        "attempt.outcome": attempt["event"],
        "attempt.reason": detail.get("reason"),
        "attempt.waiting_for": detail.get("waiting_for"),
    }
    return Span(
        ATTEMPT,
        trace_id,
        ids.attempt_span(trace_id, attempt["epoch"]),
        ids.run_span(trace_id),
        _nanoseconds(attempt["began_at"]),
        _nanoseconds(attempt["ended_at"]),
        attributes={name: value for name, value in attributes.items() if value is not None},
        error=_error(attempt),
    )


def _sources(trace_id: int, attempt: RowMapping, sources: list[RowMapping]) -> Iterator[Span]:
    """Yield the spans of the sources that an attempt had not finished when it began."""
    began, ended = attempt["began_at"], attempt["ended_at"]
    for source in sources:
        finished = source["finished_at"]
        if finished is not None and finished < began and source["state"] in _DONE:
            continue
        # a later attempt may have finished the source meanwhile
        done = finished is not None and began <= finished <= ended and source["state"] in _DONE
        state = source["state"] if done else "not finished"
        error = None if state == "succeeded" else (source["error"] if done else _error(attempt))
        counts = {
            f"source.{name}": source[name] for name in ("total", "done", "unknown", "changed")
        }
        attributes = {"source.name": source["source"], "source.state": state} | counts
        yield Span(
            SOURCE,
            trace_id,
            ids.source_span(trace_id, attempt["epoch"], source["source"]),
            ids.attempt_span(trace_id, attempt["epoch"]),
            _nanoseconds(began),
            _nanoseconds(finished if done else ended),
            label=source["source"],
            attributes={name: value for name, value in attributes.items() if value is not None},
            error=error,
        )


def _error(attempt: RowMapping) -> str | None:
    event: str = attempt["event"]
    if event not in _ERRORS:
        return None
    reason: str | None = attempt["detail"].get("reason")
    return event if reason is None else f"{event}: {reason}"


def _nanoseconds(at: datetime) -> int:
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1) * 1_000
