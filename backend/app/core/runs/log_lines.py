"""Stores and reads the last log lines of attempts. The table is bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import NotFound, show_run
from app.core.runs.views import require_run
from app.core.text.field_docs import View

MAX_ATTEMPTS = 20
"""The number of latest attempts of a run whose lines are kept."""

MAX_LINES = 200
"""The number of last lines that are kept of an attempt."""

MAX_LINE_CHARS = 500
"""Characters. Longer lines are truncated."""

Key = tuple[int, int]
"""A run id and the epoch of an attempt."""


@dataclass(frozen=True, slots=True)
class Line:
    """A log line to be stored.

    Attributes:
        number: the position among all lines of the attempt, from 1, including lines not kept.
        at: the time by this machine's clock.
        level: such as ``info``.
        text: the message, with secrets removed.
    """

    number: int
    at: datetime
    level: str
    text: str


# idempotent: a line is stored once, even if the reply to the first commit was lost
_STORE = text(
    """
    WITH stored AS (
      INSERT INTO attempt_logs (run_id, epoch, number, at, level, text)
      SELECT :run_id, :epoch, number, at, level, text
      FROM unnest(CAST(:numbers AS int[]), CAST(:ats AS timestamptz[]), CAST(:levels AS text[]),
        CAST(:texts AS text[])) AS line (number, at, level, text)
      ON CONFLICT DO NOTHING
    )
    DELETE FROM attempt_logs WHERE run_id = :run_id
      AND ((epoch = :epoch AND number <= :last - :most_lines) OR epoch <= :epoch - :most_attempts)
    """
)

_EPOCHS = text("SELECT DISTINCT epoch FROM attempt_logs WHERE run_id = :run_id ORDER BY epoch")

_LINES = text(
    """
    SELECT number, at, level, text FROM attempt_logs
    WHERE run_id = :run_id AND epoch = :epoch ORDER BY number
    """
)

_TAILS = text(
    """
    WITH attempts AS (
      SELECT epoch, max(number) AS last FROM attempt_logs WHERE run_id = :run_id GROUP BY epoch
    )
    SELECT a.epoch, l.number, l.at, l.level, l.text
    FROM attempts a JOIN attempt_logs l ON l.run_id = :run_id AND l.epoch = a.epoch
      AND l.number > a.last - CASE a.epoch WHEN (SELECT max(epoch) FROM attempts)
        THEN CAST(:of_last AS int) ELSE CAST(:of_others AS int) END
    ORDER BY a.epoch DESC, l.number
    """
)


class LogLine(View):
    """A line that a worker logged about a run."""

    number: int
    """Counts the lines of the attempt from 1."""
    at: datetime
    """By the clock of the worker's host."""
    level: str
    """`debug`, `info`, `warning`, `error` or `critical`."""
    text: str
    """At most 500 characters, without secrets. A traceback has one line for each of its lines, of
    which the middle may be left out."""


class AttemptLog(View):
    """The last lines that a worker logged in an attempt, at most 200."""

    epoch: int
    earlier: int
    """The number of earlier lines of the attempt, which are not kept or not shown."""
    lines: list[LogLine]


class RunLog(View):
    """The last log lines of an attempt at a run."""

    run_id: int
    epochs: list[int]
    """The attempts that have lines. Only the lines of the last 20 attempts are kept."""
    attempt: AttemptLog | None
    """The attempt that was asked for, or else the latest one that has lines; null if there is
    none."""


async def store(connection: AsyncConnection, key: Key, lines: Sequence[Line]) -> None:
    """Add lines of an attempt, and delete lines beyond the limits of what is kept.

    Args:
        connection: an autocommit connection. The epoch is deliberately not checked: the log of a
            fenced attempt is worth keeping too.
        key: the run and the epoch.
        lines: at least one line, in order.
    """
    run_id, epoch = key
    await connection.execute(
        _STORE,
        {
            "run_id": run_id,
            "epoch": epoch,
            "numbers": [line.number for line in lines],
            "ats": [line.at for line in lines],
            "levels": [line.level for line in lines],
            "texts": [line.text for line in lines],
            "last": lines[-1].number,
            "most_lines": MAX_LINES,
            "most_attempts": MAX_ATTEMPTS,
        },
    )


async def read_log(connection: AsyncConnection, run_id: int, epoch: int | None = None) -> RunLog:
    """Return the last log lines of an attempt.

    Args:
        connection: to read from.
        run_id: the run.
        epoch: the epoch of the attempt; None means the latest attempt that has lines.

    Raises:
        NotFound: there is no such run, or the attempt has no lines.
    """
    await require_run(connection, run_id)
    epochs = list((await connection.execute(_EPOCHS, {"run_id": run_id})).scalars())
    if epoch is not None and epoch not in epochs:
        raise NotFound(
            f"run {run_id} has no log lines of an attempt under epoch {epoch}",
            allowed=", ".join(map(str, epochs)) or "none: no line of this run is kept",
            steps=(show_run(run_id),),
        )
    if not epochs:
        return RunLog(run_id=run_id, epochs=[], attempt=None)
    chosen = epochs[-1] if epoch is None else epoch
    found = await connection.execute(_LINES, {"run_id": run_id, "epoch": chosen})
    lines = [LogLine(**row) for row in found.mappings()]
    earlier = lines[0].number - 1 if lines else 0
    return RunLog(
        run_id=run_id,
        epochs=epochs,
        attempt=AttemptLog(epoch=chosen, earlier=earlier, lines=lines),
    )


async def tails(
    connection: AsyncConnection, run_id: int, *, of_last: int, of_others: int
) -> list[AttemptLog]:
    """Return the end of the log of each attempt, the latest attempt first.

    Args:
        connection: to read from.
        run_id: the run.
        of_last: the maximum number of lines of the latest attempt.
        of_others: the maximum number of lines of each other attempt.
    """
    values = {"run_id": run_id, "of_last": of_last, "of_others": of_others}
    attempts: dict[int, AttemptLog] = {}
    for row in (await connection.execute(_TAILS, values)).mappings():
        new = AttemptLog(epoch=row["epoch"], earlier=row["number"] - 1, lines=[])
        attempts.setdefault(row["epoch"], new).lines.append(LogLine(**row))
    return list(attempts.values())
