"""What a soak has come to: counted by the database, and judged here."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.reliability.ledger import Ledger
from tests.reliability.soak.crew import Crew
from tests.reliability.soak.faults import Hit

AFTERMATH = 60.0
"""Seconds after its end in which a fault may still explain a failure: 30 until a frozen worker is
noticed, and the waits and retries of what came of it."""

STALE = 29.0
"""Seconds that a worker has to be frozen for, or nearly, before it may be judged dead."""

NEAR = 5.0
"""Seconds after a fault for which what comes next is disturbed by it: workers start, or connect
again and judge nobody meanwhile."""

BATCHES = {"hgnc": ("hgnc.fetch", 50), "ensembl": ("ensembl.lookup.id", 1_000)}
"""By source, the endpoint that its batches are asked at, and their size. ClinVar is read from its
file or by API, as many genes are due; its batches are not counted."""

_TAKEN_UP = """
SELECT min(extract(epoch FROM at))::float8 AS at FROM run_events
WHERE run_id = %(run_id)s AND event IN ('claimed', 'taken over')
AND extract(epoch FROM at) > %(after)s
"""

_ENDED = """
SELECT min(extract(epoch FROM at))::float8 AS at FROM run_events
WHERE run_id = %(run_id)s AND event IN ('succeeded', 'failed', 'cancelled')
AND extract(epoch FROM at) > %(after)s
"""

_WENT_ON = """
SELECT min(extract(epoch FROM at))::float8 AS at FROM written
WHERE run_id = %(run_id)s AND epoch = %(epoch)s AND extract(epoch FROM at) > %(after)s
"""

_LOSSES = """
SELECT e.run_id, e.detail ->> 'reason' AS reason, extract(epoch FROM e.at)::float8 AS at, w.pid
FROM run_events e LEFT JOIN workers w ON w.id = (e.detail ->> 'worker')::int
WHERE e.event = 'lost' ORDER BY e.id
"""

# what came before the last answer, or before an operator's retry, is not why it failed
_WHY_FAILED = """
SELECT extract(epoch FROM e.at)::float8 AS at FROM run_events e JOIN runs r ON r.id = e.run_id
WHERE e.run_id = %(run_id)s
AND (e.event IN ('lost', 'failed', 'attempt failed'))
AND e.at > coalesce(r.progressed_at, r.created_at) ORDER BY e.id
"""


@dataclass(frozen=True, slots=True)
class Recovery:
    """The time after a fault until another attempt continued the run.

    Attributes:
        kind: the kind of the fault.
        seconds: seconds since the fault of a worker, or since a server was available again.
        alone: whether no other fault of a worker or a server occurred at about the same time.
    """

    kind: str
    seconds: float
    alone: bool


@dataclass
class Reckoning:
    """The results of a soak.

    Attributes:
        runs: the number of runs by state; `started` is the number of all runs.
        genes: the number of genes in the database.
        committed: the number of annotations that all runs committed.
        hits: the faults.
        recoveries: the recoveries of the runs that a fault interrupted.
        batches_twice: the number of batches that were fetched again because the first answer was
            never committed, by source.
        false_rescues: descriptions of runs that were taken from a healthy worker.
        unasked: descriptions of processes that ended without a fault.
        lost: descriptions of lost answers.
        doubled: descriptions of answers that were written twice.
    """

    runs: dict[str, int]
    genes: int
    committed: int
    hits: Sequence[Hit]
    recoveries: list[Recovery] = field(default_factory=list)
    batches_twice: dict[str, int] = field(default_factory=dict)
    false_rescues: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that is not exceeded by this fraction of the values."""
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


def explained(moments: Iterable[float], hits: Sequence[Hit]) -> bool:
    """Return whether a fault was in progress, or had just ended, at each of the moments."""
    return all(
        any(hit.began <= moment <= hit.ended + AFTERMATH for hit in hits) for moment in moments
    )


def healthy(pid: int | None, moment: float, hits: Sequence[Hit]) -> bool:
    """Return whether no fault justified taking a run from a worker at a moment.

    A worker that is frozen for less than 30 s keeps its session, and so its runs, unless PostgreSQL
    went down meanwhile. A worker that cannot reach PostgreSQL closes its session after 5 s; the
    server may notice the end of this session or the start of the next one first.
    """
    for hit in hits:
        if hit.on != "worker" or hit.pid != pid or hit.began > moment:
            continue
        if "frozen" not in hit.kind and "cut off" not in hit.kind:
            return False
        if moment > hit.ended + 10:
            continue
        if "cut off" in hit.kind or moment - hit.began >= STALE:
            return False
        if any(
            other.on == "postgres" and other.began <= hit.ended and other.ended >= hit.began
            for other in hits
        ):
            return False
    return True


def reckon(crew: Crew, hits: Sequence[Hit], lost: Sequence[str]) -> Reckoning:
    """Compute the results, after all runs have ended.

    Args:
        crew: the processes, with the database and the sandbox.
        hits: the faults.
        lost: descriptions of losses that were found during the soak.
    """
    crew.rows("CREATE INDEX ON written (run_id, epoch, at)")
    states = crew.rows("SELECT state, count(*) FROM runs GROUP BY 1")
    runs = {row["state"]: row["count"] for row in states}
    (counts,) = crew.rows(
        "SELECT (SELECT count(*) FROM genes) AS genes, (SELECT count(*) FROM written) AS written"
    )
    return Reckoning(
        runs={"started": sum(runs.values())} | runs,
        genes=counts["genes"],
        committed=counts["written"],
        hits=hits,
        recoveries=_recoveries(crew, hits),
        batches_twice=_batches_twice(crew),
        false_rescues=[
            f"run {loss['run_id']} from pid {loss['pid']}: {loss['reason']}"
            for loss in crew.rows(_LOSSES)
            if healthy(loss["pid"], loss["at"], hits)
        ],
        unasked=crew.unasked,
        lost=[*lost, *_lost(crew, hits)],
        doubled=_doubled(crew),
    )


def _recoveries(crew: Crew, hits: Sequence[Hit]) -> list[Recovery]:
    """Measure the recoveries. A fault does not count for a run that was interrupted already."""
    found = []
    still: dict[int, float] = {}
    for hit in hits:
        for run_id, epoch in hit.runs:
            if still.get(run_id, 0) > hit.began:
                continue
            taken_up = _taken_up(crew, hit, run_id, epoch)
            if taken_up is not None:
                still[run_id] = taken_up
                since = hit.began if hit.on == "worker" else hit.ended
                found.append(
                    Recovery(hit.kind, max(0.0, taken_up - since), alone(hit, taken_up, hits))
                )
    return found


def alone(hit: Hit, until: float, hits: Sequence[Hit]) -> bool:
    """Return whether no other fault of a worker or server occurred between a fault and a moment."""
    return not any(
        other is not hit
        and other.on in {"worker", "redis", "postgres"}
        and other.began <= until
        and other.ended + NEAR >= hit.began
        for other in hits
    )


def _taken_up(crew: Crew, hit: Hit, run_id: int, epoch: int) -> float | None:
    """Return when another attempt continued the run.

    The result is None if the interrupted attempt itself continued, or if the run ended.
    """
    taken_up = _first(crew, _TAKEN_UP, run_id, hit.began)
    ended = _first(crew, _ENDED, run_id, hit.began)
    if taken_up is None or (ended is not None and ended < taken_up):
        return None
    if hit.on != "worker" or hit.ended > hit.began:
        went_on = _first(crew, _WENT_ON, run_id, hit.ended, epoch)
        if went_on is not None and went_on < taken_up:
            return None
    return taken_up


def _first(
    crew: Crew, query: str, run_id: int, after: float, epoch: int | None = None
) -> float | None:
    (row,) = crew.rows(query, run_id=run_id, after=after, epoch=epoch)
    at: float | None = row["at"]
    return at


def _batches_twice(crew: Crew) -> dict[str, int]:
    """Count the batches that were fetched but not committed, and so were fetched again.

    This includes the batches of cancelled runs.
    """
    stats: dict[str, dict[str, int]] = crew.sandbox.stats()["genes"]
    twice = {}
    for source, (endpoint, size) in BATCHES.items():
        # an unknown of HGNC comes from an invalid response, which is not counted as served
        (row,) = crew.rows(
            "SELECT count(*) FROM written WHERE source = %(source)s"
            " AND (state <> 'unknown' OR source <> 'hgnc')",
            source=source,
        )
        seen = stats.get(endpoint, {"asked": 0, "repeats": 0})
        twice[source] = max(0, math.ceil((seen["asked"] + seen["repeats"] - row["count"]) / size))
    return twice


def _lost(crew: Crew, hits: Sequence[Hit]) -> list[str]:
    lost = []
    for run in crew.rows("SELECT id, state, error FROM runs ORDER BY id"):
        if run["state"] in {"queued", "running"}:
            lost.append(f"run {run['id']} is {run['state']} and does not end")
        elif run["state"] == "failed":
            moments = [row["at"] for row in crew.rows(_WHY_FAILED, run_id=run["id"])]
            if not explained(moments, hits):
                lost.append(f"run {run['id']} failed and no fault explains it: {run['error']}")
    return lost


def _doubled(crew: Crew) -> list[str]:
    ledger = Ledger(crew.rows)
    return [
        *(
            f"run {each['run_id']}: {each['source']} of gene {each['gene_id']} was written again"
            f" under epoch {each['epoch']}"
            for each in ledger.doubled()
        ),
        *(
            f"run {each['run_id']}: {each['count']} answers written under epoch {each['epoch']},"
            " which had passed"
            for each in ledger.unlawful()
        ),
    ]
