from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import NotHere
from app.core.runs import transitions
from app.core.runs.ref import RunRef

MAX_SHARED_LOSSES = 2
"""After this many losses in a row without progress, a run is executed alone on its worker."""

_SUSPICION = text(
    """
    SELECT r.losses_in_a_row >= :losses AS must_run_alone,
      now() >= w.started_at + make_interval(secs => :begin) AS worker_has_begun
    FROM runs r, workers w WHERE r.id = :run_id AND w.id = :worker_id
    """
)

_NEXT_READY = text(
    """
    SELECT r.id, r.epoch FROM runs r JOIN ready_runs USING (id) ORDER BY r.created_at, r.id LIMIT 1
    """
)


async def claim(
    connection: AsyncConnection,
    run_id: int,
    epoch: int,
    worker_id: int,
    *,
    idle: bool,
    begin: float,
) -> tuple[RunRef, bool] | None:
    """Assign a queued run to a worker.

    A run that has lost several workers may be killing them. Only an idle worker that has been up
    for ``begin`` seconds gets such a run, so another loss harms no other run and its cause is
    clear.

    Args:
        connection: in a transaction.
        run_id: the run.
        epoch: the epoch under which the run is queued.
        worker_id: the worker.
        idle: whether the worker executes no run.
        begin: see `Timing.begin`.

    Returns:
        The run, and whether the worker must execute no other run meanwhile. None if the run is not
        queued under this epoch, or not ready.

    Raises:
        NotHere: this worker cannot execute the run now; the run stays queued.
    """
    row = (
        await connection.execute(
            _SUSPICION,
            {"losses": MAX_SHARED_LOSSES, "begin": begin, "run_id": run_id, "worker_id": worker_id},
        )
    ).one_or_none()
    alone = row is not None and row.must_run_alone
    if alone and not idle:
        raise NotHere(f"run {run_id} must run alone, and this worker is busy")
    if row is not None and alone and not row.worker_has_begun:
        raise NotHere(f"run {run_id} must run alone, and this worker is new")
    ref = await transitions.apply(
        connection, transitions.CLAIM, run_id=run_id, epoch=epoch, worker_id=worker_id
    )
    return None if ref is None else (ref, alone)


async def next_ready(connection: AsyncConnection) -> tuple[int, int] | None:
    """Return the id and the epoch of the oldest ready run; None if no run is ready."""
    row = (await connection.execute(_NEXT_READY)).one_or_none()
    return None if row is None else (row.id, row.epoch)
