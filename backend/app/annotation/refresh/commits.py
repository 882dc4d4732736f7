"""Writes a batch of answers and moves the replaced ones to the history, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.genes.identifiers import Identifiers, change_identifiers, write_names
from app.annotation.refresh.origins import Origin, record_origin
from app.annotation.sources.answers import Answer
from app.core.postgres.unavailable import is_data_error
from app.db.text import storable

_MAX_ERROR_CHARS = 200

MAX_DATA_BYTES = 100_000
"""Maximum size of an answer's data as JSON, in bytes. The largest real answers have about 10,000
bytes. psycopg needs a second for each megabyte of quotes (``psycopg/types/array.py``) and blocks
the event loop meanwhile."""

# If a gene's identifiers changed after the attempt began with the source, the answer is dated
# before the change, so that the gene stays due. An answer that itself sets the identifiers is
# current.
#
# A changed answer moves the former one to the history. The time of the change is read after the
# statement has its locks, so it is later than a snapshot that was taken meanwhile. It is also later
# than the last snapshot and the former answer if PostgreSQL's clock was set back.
#
# An unknown answer keeps the last good one.
_ANNOTATIONS = text(
    """
    WITH moment AS MATERIALIZED (
      SELECT greatest(clock_timestamp(), max(at) + interval '1 microsecond') AS at FROM snapshots
    ),
    asked AS MATERIALIZED (
      SELECT a.gene_id, a.state, CAST(a.data AS jsonb) AS data, a.reason,
        CASE WHEN g.updated_at > s.attempt_started_at AND NOT a.identifies
             THEN s.attempt_started_at ELSE now() END AS checked_at,
        CASE WHEN a.state <> 'unknown' THEN 1 END AS good
      FROM unnest(CAST(:gene_ids AS bigint[]), CAST(:states AS text[]), CAST(:data AS text[]),
                  CAST(:reasons AS text[]), CAST(:identifies AS boolean[]))
        AS a(gene_id, state, data, reason, identifies)
      JOIN genes g ON g.id = a.gene_id
      JOIN run_sources s ON s.run_id = :run_id AND s.source = :source
    ),
    former AS (
      INSERT INTO annotation_history (gene_id, source, state, data, release, valid_from, valid_to,
        run_id, changed_run_id, fetched_at, fetched_run_id, origin_ids, origin_since)
      SELECT b.gene_id, b.source, b.state, b.data, b.release, b.valid_from,
        greatest(m.at, b.valid_from + interval '1 microsecond'),
        :run_id, b.changed_run_id, b.fetched_at, b.fetched_run_id, b.origin_ids, b.origin_since
      FROM moment m CROSS JOIN asked a
        JOIN annotations b ON b.gene_id = a.gene_id AND b.source = :source
      WHERE a.state <> 'unknown' AND (b.state, b.data) IS DISTINCT FROM (a.state, a.data)
      RETURNING gene_id, valid_to
    ),
    written AS (
      INSERT INTO annotations AS now (gene_id, source, state, data, release, fetched_at,
        fetched_run_id, origin_id, origin_ids, origin_since, valid_from, changed_run_id,
        checked_state, checked_at, checked_run_id, checked_origin_id, reason)
      SELECT a.gene_id, :source, a.state, a.data,
        CASE WHEN a.good = 1 THEN CAST(:release AS text) END,
        CASE WHEN a.good = 1 THEN now() END,
        CASE WHEN a.good = 1 THEN CAST(:run_id AS bigint) END,
        CASE WHEN a.good = 1 THEN CAST(:origin_id AS bigint) END,
        CASE WHEN a.good = 1 THEN ARRAY[CAST(:origin_id AS bigint)] ELSE '{}' END,
        CASE WHEN a.good = 1 THEN ARRAY[coalesce(f.valid_to, m.at)] ELSE '{}' END,
        coalesce(f.valid_to, m.at),
        CASE WHEN f.gene_id IS NOT NULL OR b.gene_id IS NULL THEN CAST(:run_id AS bigint) END,
        a.state, a.checked_at, :run_id, CAST(:origin_id AS bigint), a.reason
      FROM moment m CROSS JOIN asked a LEFT JOIN former f ON f.gene_id = a.gene_id
        LEFT JOIN annotations b ON b.gene_id = a.gene_id AND b.source = :source
      ON CONFLICT (gene_id, source) DO UPDATE SET
        state = CASE WHEN excluded.changed_run_id IS NULL THEN now.state ELSE excluded.state END,
        data = CASE WHEN excluded.changed_run_id IS NULL THEN now.data ELSE excluded.data END,
        valid_from = CASE WHEN excluded.changed_run_id IS NULL
                     THEN now.valid_from ELSE excluded.valid_from END,
        changed_run_id = coalesce(excluded.changed_run_id, now.changed_run_id),
        release = CASE WHEN excluded.checked_state = 'unknown'
                  THEN now.release ELSE excluded.release END,
        fetched_at = coalesce(excluded.fetched_at, now.fetched_at),
        fetched_run_id = coalesce(excluded.fetched_run_id, now.fetched_run_id),
        origin_id = coalesce(excluded.origin_id, now.origin_id),
        origin_ids = CASE
          WHEN excluded.changed_run_id IS NOT NULL THEN excluded.origin_ids
          WHEN excluded.origin_id <> now.origin_id OR now.origin_ids = '{}'
          THEN now.origin_ids || excluded.origin_ids ELSE now.origin_ids END,
        origin_since = CASE
          WHEN excluded.changed_run_id IS NOT NULL THEN excluded.origin_since
          WHEN excluded.origin_id <> now.origin_id OR now.origin_ids = '{}'
          THEN now.origin_since || excluded.origin_since ELSE now.origin_since END,
        checked_state = excluded.checked_state, checked_at = excluded.checked_at,
        checked_run_id = excluded.checked_run_id, checked_origin_id = excluded.checked_origin_id,
        reason = excluded.reason
    )
    SELECT count(*) FROM former
    """
)


@dataclass(frozen=True, slots=True)
class Written:
    """The result of writing answers.

    Attributes:
        answers: the answers as stored.
        changed: the number of genes whose answer changed.
    """

    answers: list[Answer]
    changed: int


def storable_answers(answers: Sequence[Answer]) -> list[Answer]:
    """Replace answers that PostgreSQL cannot store with *unknown*, and clean the reasons.

    JSON may contain a NUL character, which ``jsonb`` rejects (PostgreSQL, section 8.14). One such
    gene must not fail the whole batch.
    """
    return [_storable(answer) for answer in answers]


def _storable(answer: Answer) -> Answer:
    if answer.reason is not None:
        return replace(answer, reason=storable(answer.reason))
    if answer.data is not None and (problem := _problem(answer.data)):
        return Answer(answer.gene_id, "unknown", reason=problem)
    return answer


def _problem(data: dict[str, Any]) -> str | None:
    impossible = "the answer contains a character that PostgreSQL cannot store"
    try:
        encoded = msgspec.json.encode(data)
    except UnicodeEncodeError:
        return impossible
    if len(encoded) > MAX_DATA_BYTES:
        return f"the answer has {len(encoded):,} bytes, and at most {MAX_DATA_BYTES:,} are stored"
    return impossible if b"\\u0000" in encoded else None


async def store(
    connection: AsyncConnection,
    run_id: int,
    origin: Origin,
    answers: Sequence[Answer],
) -> Written:
    """Write answers, and move the replaced ones to the history.

    If PostgreSQL rejects an answer, the batch is halved until the answer is found. That answer
    becomes *unknown*.

    Args:
        connection: the connection of the attempt's transaction, which survives a rejected answer.
        run_id: the run that asked the source.
        origin: where the answers came from.
        answers: at most one answer for each gene, from :func:`storable_answers`.
    """
    origin_id = await record_origin(connection, origin)
    written: list[Answer] = []
    changed = 0
    parts = [list(answers)]
    while parts:
        part = parts.pop()
        try:
            async with connection.begin_nested():
                changed_here = await _write(connection, run_id, origin, origin_id, part)
        except DBAPIError as error:
            if not is_data_error(error) or _is_unknown(part):
                raise
            middle = len(part) // 2
            parts += [part[middle:], part[:middle]] if middle else [[_refused(part[0], error)]]
        else:
            written += part
            changed += changed_here
    return Written(written, changed)


def _is_unknown(part: Sequence[Answer]) -> bool:
    return len(part) == 1 and part[0].state == "unknown"


def _refused(answer: Answer, error: DBAPIError) -> Answer:
    message = str(error.orig).partition("\n")[0][:_MAX_ERROR_CHARS]
    return Answer(
        answer.gene_id, "unknown", reason=storable(f"PostgreSQL cannot store the answer: {message}")
    )


async def _write(
    connection: AsyncConnection,
    run_id: int,
    origin: Origin,
    origin_id: int,
    answers: Sequence[Answer],
) -> int:
    result = await connection.execute(
        _ANNOTATIONS,
        {
            "source": origin.source,
            "run_id": run_id,
            "release": origin.release,
            "origin_id": origin_id,
            "gene_ids": [answer.gene_id for answer in answers],
            "states": [answer.state for answer in answers],
            "data": [
                None if answer.data is None else msgspec.json.encode(answer.data).decode()
                for answer in answers
            ],
            "reasons": [answer.reason for answer in answers],
            "identifies": [answer.identifiers is not None for answer in answers],
        },
    )
    # names before genes, see app.annotation.genes.identity
    named = [answer.names for answer in answers if answer.names is not None]
    if named:
        await write_names(connection, named)
    identified = [
        Identifiers(
            answer.gene_id,
            answer.identifiers.get("symbol"),
            answer.identifiers.get("ensembl_gene_id"),
            answer.identifiers.get("entrez_id"),
        )
        for answer in answers
        if answer.identifiers
    ]
    await change_identifiers(connection, identified, run_id)
    changed: int = result.scalar_one()
    return changed
