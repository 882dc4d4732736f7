"""The checks of the runs: they make progress, and do not fail repeatedly."""

from app.core.checks import Check, Context, Finding, check, failed, ok, warning
from app.core.errors import cancel_run, retry_run, show_run
from app.core.text.words import some, time_span

NEWEST_RUNS = 2_000
"""The number of newest runs that the checks consider."""

STUCK = 1_800
"""Seconds without a commit. A source commits nothing while it reads its file, and the largest file
has 400 MB."""

MANY_FAILURES = 2
"""The check warns from this number of failures or losses in a row."""

_STUCK = """
    SELECT id, sources, idle FROM (
      SELECT r.id, string_agg(s.source, ', ' ORDER BY s.source) AS sources,
        extract(epoch FROM clock_timestamp()
          - greatest(r.progressed_at, r.attempt_started_at, max(s.started_at)))::float8 AS idle
      FROM runs r LEFT JOIN run_sources s ON s.run_id = r.id AND s.state = 'running'
      WHERE r.state = 'running' GROUP BY r.id) running
    WHERE idle > :stuck ORDER BY idle DESC LIMIT 20
"""


@check(
    "runs.stuck",
    "running runs make progress",
    symptom="A run is running, but has made no progress for half an hour.",
    why="The run waits for something that may never happen. Until its timeout, no other run can"
    " cover its sources.",
    needs=("database.migrated",),
)
async def stuck(context: Context) -> Finding:
    """Find running runs whose last commit is too long ago."""
    from sqlalchemy import text

    found = await context.rows(text(_STUCK), stuck=STUCK)
    if not found:
        return ok(f"every running run has committed within {time_span(STUCK)}")
    worst = found[0]
    sources = f" ({worst.sources})" if worst.sources else ""
    return warning(
        f"run {worst.id}{sources} has committed nothing for {time_span(worst.idle)}",
        required=f"a commit at least every {time_span(STUCK)}",
        found=some([f"run {run.id}" for run in found]),
        remedy=tuple(step(run.id) for run in found[:5] for step in (cancel_run, retry_run)),
    )


_FAILING = """
    SELECT id, state, failures_in_a_row AS failures, losses_in_a_row AS losses, error
    FROM runs WHERE state IN ('queued', 'running')
    AND greatest(failures_in_a_row, losses_in_a_row) >= :often
    UNION ALL
    SELECT id, state, failures_in_a_row, losses_in_a_row, error FROM runs failed
    WHERE id > (SELECT max(id) FROM runs) - :newest AND state = 'failed'
    AND NOT EXISTS (
      SELECT FROM runs later
      WHERE later.id > failed.id AND later.state <> 'cancelled' AND later.mode = failed.mode
      AND coalesce(later.sources, '{}') = coalesce(failed.sources, '{}')
      AND (later.genes IS NULL OR later.genes = failed.genes))
    AND NOT (
      EXISTS (SELECT FROM run_sources WHERE run_id = failed.id AND state = 'held')
      AND NOT EXISTS (SELECT FROM run_sources WHERE run_id = failed.id
        AND state NOT IN ('succeeded', 'held')))
    ORDER BY id DESC LIMIT 20
"""


@check(
    "runs.failing",
    "no run fails again and again",
    symptom="A run has failed, or its attempts fail again and again.",
    why="The answers of its sources are not refreshed. A run fails for good after RUN_MAX_FAILURES"
    " failed attempts in a row, or after it lost three workers in a row that executed nothing else."
    " Progress resets both counts.",
    needs=("database.migrated",),
)
async def failing(context: Context) -> Finding:
    """Find active runs with several failures in a row, and requests whose latest run failed.

    A later run of all genes also replaces a failed run of some genes.

    The check ``runs.held`` reports runs that failed only because answers are held.
    """
    from sqlalchemy import text

    found = await context.rows(text(_FAILING), often=MANY_FAILURES, newest=NEWEST_RUNS)
    ended = [run for run in found if run.state == "failed"]
    if ended:
        return failed(
            f"{some([f'run {run.id}' for run in ended])} failed, and no later run of the same"
            " request succeeded",
            required="a run that succeeds",
            found=_first_line(ended[0].error),
            remedy=tuple(retry_run(run.id) for run in ended[:5]),
        )
    if found:
        worst = found[0]
        return warning(
            f"run {worst.id} has failed {worst.failures} times and lost {worst.losses} workers"
            " in a row",
            required="attempts that make progress",
            found=_first_line(worst.error) or "its workers were lost",
            remedy=tuple(show_run(run.id) for run in found[:5]),
        )
    return ok("no run fails")


_HELD = """
    SELECT source, run_id AS run, held ->> 'reason' AS reason FROM (
      SELECT DISTINCT ON (source) source, run_id, state, held FROM run_sources
      WHERE run_id > (SELECT max(id) FROM runs) - :newest
        AND state IN ('succeeded', 'failed', 'held')
      ORDER BY source, run_id DESC) latest
    WHERE state = 'held' ORDER BY source
"""


@check(
    "runs.held",
    "no source's answers are held",
    symptom="A run has failed, and its details say that the answers of a source are held.",
    why="The new answers of the source look wrong as a whole, for example because its file lost"
    " many genes. They are not stored, and the old annotations stay. If the source has a fault,"
    " retry the run when it is repaired; if the answers are right, accept them.",
    needs=("database.migrated",),
)
async def held(context: Context) -> Finding:
    """Find the sources whose answers are held by the latest run that covered them."""
    from sqlalchemy import text

    found = await context.rows(text(_HELD), newest=NEWEST_RUNS)
    if not found:
        return ok("nothing is held")
    return warning(
        f"{some([row.source for row in found])}: the new answers look wrong and are held",
        required="answers that look right, or that somebody accepts",
        found=some([f"{row.source}, run {row.run}: {row.reason}" for row in found]),
        # the shown run names both commands; only a person can choose between retrying and accepting
        remedy=tuple(show_run(run) for run in sorted({row.run for row in found})[:5]),
    )


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0][:200]


CHECKS: tuple[Check, ...] = (stuck, failing, held)
