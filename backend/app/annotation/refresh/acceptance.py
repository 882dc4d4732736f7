"""Stores the held answers of a source, and reads what a person has accepted."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.sources.accepted_files import Judged
from app.core.errors import KidneyGeneticsError
from app.core.runs.ref import RunRef
from app.db.text import storable

MAX_EXAMPLES = 10
"""Maximum number of genes listed as examples of those that would become absent."""


class Held(KidneyGeneticsError):
    """The answers of a source look wrong as a whole, and are not stored.

    Args:
        reasons: the reasons, one sentence each.
        lost: the genes that would become absent.
        files: the files that were read; empty if a service was asked.
    """

    def __init__(
        self, reasons: Sequence[str], lost: Collection[int], files: Sequence[Judged] = ()
    ) -> None:
        self.reason = "; ".join(reasons)
        self.lost = lost
        self.files = files
        super().__init__(self.reason)


class IsHeld(NamedTuple):
    """The outcome of a source whose answers are held."""

    reason: str


class Accepted(msgspec.Struct, frozen=True):
    """What a person accepted: certain files, and a number of absent genes.

    Attributes:
        genes: the number of genes that may become absent.
        digests: the SHA-256 digest of each accepted file.
    """

    genes: int
    digests: frozenset[str]


_ACCEPTED = text(
    "SELECT accepted FROM run_sources WHERE run_id = :run_id AND source = :source"
    " AND accepted IS NOT NULL"
)

_EXAMPLES = text(
    "SELECT symbol FROM genes WHERE id = ANY(:gene_ids) ORDER BY symbol, id LIMIT :most"
)

_HOLD = text(
    """
    WITH held AS (
      UPDATE run_sources SET state = 'held', held = CAST(:held AS jsonb), error = :reason,
        finished_at = now(), total = greatest(total, done)
      WHERE run_id = :run_id AND source = :source
    )
    INSERT INTO run_events (run_id, epoch, event, detail)
    VALUES (:run_id, :epoch, 'held', jsonb_build_object('source', CAST(:source AS text))
      || CAST(:held AS jsonb))
    """
)


async def accepted_of(connection: AsyncConnection, run_id: int, source: str) -> Accepted | None:
    """Return what a person accepted of a source in a run; None if nothing."""
    values = {"run_id": run_id, "source": source}
    found = (await connection.execute(_ACCEPTED, values)).scalar_one_or_none()
    if found is None:
        return None
    return Accepted(found["genes"], frozenset(each["digest"] for each in found["files"]))


async def hold(connection: AsyncConnection, ref: RunRef, source: str, held: Held) -> None:
    """End a source whose answers are held, and record the event.

    Args:
        connection: the connection of the attempt's transaction.
        ref: the run and its epoch.
        source: the name of the source.
        held: the reasons, genes and files.
    """
    values = {"gene_ids": list(held.lost), "most": MAX_EXAMPLES}
    examples = (await connection.execute(_EXAMPLES, values)).scalars().all()
    report = {
        "reason": storable(held.reason),
        "genes": len(held.lost),
        "examples": list(examples),
        "files": [file.shown for file in held.files],
    }
    await connection.execute(
        _HOLD,
        {
            "run_id": ref.run_id,
            "epoch": ref.epoch,
            "source": source,
            "reason": report["reason"],
            "held": storable(msgspec.json.encode(report).decode()),
        },
    )
