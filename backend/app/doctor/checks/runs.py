"""What has become of the runs, and of the answers they brought."""

from typing import Any

from app.core.workers.timing import DEFAULT_TIMING
from app.doctor.check import Finding, check, failed, ok, warning
from app.doctor.checks import commands, workers
from app.doctor.checks.postgres import rows
from app.doctor.checks.words import some, span
from app.doctor.context import Context

NEWEST = 2_000
"""Runs that are looked at, the latest ones."""

STUCK = 1_800
"""Seconds without progress. The longest a batch takes by itself is ClinVar's file of 400 MB."""

OFTEN = 2
"""Failures or losses in a row that are worth looking at."""

A_DAY = 86_400
A_MONTH = 30 * A_DAY

SAMPLE = 200
"""Genes whose answers are looked at, spread over all of them: 20,000 genes have 60,000 answers."""

MANY = 0.05
"""A share of the genes whose answers are old or missing."""


def _list(found: list[Any]) -> str:
    return some([f"run {each.id}" for each in found])


_LOST = """
SELECT r.id, extract(epoch FROM clock_timestamp() - w.heartbeat_at)::float8 AS age
FROM runs r JOIN workers w ON w.id = r.worker_id JOIN worker_liveness life ON life.id = w.id
WHERE r.state = 'running' AND NOT life.alive
AND w.heartbeat_at < clock_timestamp() - make_interval(secs => %(settle)s)
ORDER BY r.id LIMIT 20
"""


@check(
    "runs.lost",
    "no run is without its worker",
    symptom="A run is running, and its worker is not alive.",
    why="A run whose worker is gone is taken by another one in a second or two, if there is one.",
    needs=("database.migrated",),
)
async def lost(context: Context) -> Finding:
    """Look for running runs whose worker holds no lock, or does not beat."""
    found = await rows(context, _LOST, {"settle": DEFAULT_TIMING.settle})
    if not found:
        return ok("none")
    kind = workers.executing(context)
    start = commands.start_worker if kind == "arq" else commands.start_api
    return failed(
        f"{_list(found)}: its worker is gone, and no other has taken it",
        required="a worker that takes it over",
        found=f"no heartbeat for {span(found[0].age)}",
        remedy=start(context),
    )


_STUCK = """
SELECT r.id, s.source, extract(epoch FROM
  clock_timestamp() - greatest(r.progressed_at, r.attempt_started_at, s.started_at))::float8 AS idle
FROM runs r LEFT JOIN run_sources s ON s.run_id = r.id AND s.state = 'running'
WHERE r.state = 'running'
AND greatest(r.progressed_at, r.attempt_started_at, s.started_at)
  < clock_timestamp() - make_interval(secs => %(stuck)s)
ORDER BY idle DESC LIMIT 20
"""


@check(
    "runs.stuck",
    "every running run gets somewhere",
    symptom="A run is running, and its numbers have not changed for half an hour.",
    why="A run that commits nothing for long waits for something that may never come; it keeps its"
    " sources from other runs until its time limit.",
    needs=("database.migrated",),
)
async def stuck(context: Context) -> Finding:
    """Look at when each last committed something."""
    found = await rows(context, _STUCK, {"stuck": STUCK})
    if not found:
        return ok(f"none stands still for more than {span(STUCK)}")
    worst = found[0]
    at = f" ({worst.source})" if worst.source else ""
    return warning(
        f"run {worst.id}{at} has committed nothing for {span(worst.idle)}",
        required=f"a commit at least every {span(STUCK)}",
        found=_list(found),
        remedy="\n".join(f"just cancel {each.id} && just retry {each.id}" for each in found[:5]),
    )


_FAILING = """
SELECT id, state, failures_in_a_row AS failures, losses_in_a_row AS losses, error
FROM runs WHERE state IN ('queued', 'running')
AND greatest(failures_in_a_row, losses_in_a_row) >= %(often)s
UNION ALL
SELECT id, state, failures, losses, error FROM (
  SELECT DISTINCT ON (sources, mode) id, state, failures_in_a_row AS failures,
    losses_in_a_row AS losses, error
  FROM runs WHERE id > (SELECT max(id) FROM runs) - %(newest)s AND state <> 'cancelled'
  ORDER BY sources, mode, id DESC) latest
WHERE state = 'failed'
ORDER BY id DESC LIMIT 20
"""


@check(
    "runs.failing",
    "no run fails again and again",
    symptom="A run has failed, or its attempts fail one after the other.",
    why="A run ends for good when it has failed RUN_MAX_FAILURES times, or lost its worker three"
    " times while it ran alone there, without getting anywhere.",
    needs=("database.migrated",),
)
async def failing(context: Context) -> Finding:
    """Look at active runs that fail in a row, and at requests whose latest run has failed."""
    found = await rows(context, _FAILING, {"often": OFTEN, "newest": NEWEST})
    if not found:
        return ok("none")
    worst = found[0]
    ended = [each for each in found if each.state == "failed"]
    if not ended:
        return warning(
            f"run {worst.id} has failed {worst.failures} times and lost {worst.losses} workers"
            " in a row",
            required="attempts that get somewhere",
            found=_first_line(worst.error) or "its workers died",
            remedy="\n".join(f"just show {each.id}" for each in found[:5]),
        )
    return failed(
        f"{_list(ended)} has failed, and nothing has succeeded in its place",
        required="a run that succeeds",
        found=_first_line(ended[0].error),
        remedy="\n".join(f"just retry {each.id}" for each in ended[:5]),
    )


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0][:200]


_SOURCES = """
WITH recent AS (
  SELECT source, state, finished_at, run_id FROM run_sources
  WHERE run_id > (SELECT max(id) FROM runs) - %(newest)s),
good AS (
  SELECT source, max(finished_at) AS at FROM recent WHERE state = 'succeeded' GROUP BY source)
SELECT f.source, g.at AS succeeded, max(f.run_id) AS run,
  extract(epoch FROM now() - min(f.finished_at))::float8 AS failing
FROM recent f LEFT JOIN good g ON g.source = f.source
WHERE f.state = 'failed' AND f.finished_at > coalesce(g.at, '-infinity')
GROUP BY f.source, g.at ORDER BY f.source
"""


@check(
    "runs.sources-failing",
    "no source fails for a day",
    symptom="One source has failed for a day, and the others are fine.",
    why="The source's answers grow old while everything else goes on, so nobody notices.",
    needs=("database.migrated",),
)
async def sources_failing(context: Context) -> Finding:
    """Look for sources whose first failure since their last success is a day ago."""
    found = [
        each for each in await rows(context, _SOURCES, {"newest": NEWEST}) if each.failing >= A_DAY
    ]
    if not found:
        return ok("none")
    names = [each.source for each in found]
    return failed(
        f"{some(names)} has failed for {span(max(each.failing for each in found))}",
        required="a success within a day",
        found=some(
            [
                f"{each.source}: "
                + (
                    f"last success {each.succeeded:%Y-%m-%d %H:%M}"
                    if each.succeeded
                    else "no success"
                )
                + f", failed in run {each.run}"
                for each in found
            ]
        ),
        remedy=f"just annotate {' '.join(names)} --wait",
    )


# a row for each gene of a sample and each source: index look-ups only
_STALE = """
WITH bounds AS (SELECT min(id) AS first, max(id) AS last FROM genes),
sample AS (
  SELECT DISTINCT g.id FROM bounds, generate_series(0, %(sample)s - 1) AS i
  CROSS JOIN LATERAL (
    SELECT id FROM genes WHERE id >= first + (last - first) * i / greatest(%(sample)s - 1, 1)
    ORDER BY id LIMIT 1) g)
SELECT w.source, count(*) AS genes,
  count(*) FILTER (WHERE a.fetched_at IS NULL) AS missing,
  count(*) FILTER (WHERE a.fetched_at < now() - make_interval(secs => w.freshness)
    OR a.fetched_at > now() + interval '1 minute') AS stale,
  (SELECT run_id FROM run_sources s WHERE s.source = w.source AND s.active) AS run
FROM sample CROSS JOIN
  unnest(%(sources)s::text[], %(freshness)s::float8[]) AS w(source, freshness)
LEFT JOIN annotations a ON a.gene_id = sample.id AND a.source = w.source
GROUP BY w.source ORDER BY w.source
"""


@check(
    "runs.stale-sources",
    "answers are as fresh as their sources call for",
    symptom="Genes are shown with old answers, or with none.",
    why="Genes are shown with answers that the source has long corrected.",
    needs=("database.migrated",),
)
async def stale_sources(context: Context) -> Finding:
    """Look at a sample of the genes; a source that a run is at is being refreshed."""
    from app.annotation.sources import SOURCES

    freshness = {name: source.info.freshness for name, source in SOURCES.items()}
    found = await rows(
        context,
        _STALE,
        {
            "sample": SAMPLE,
            "sources": list(freshness),
            "freshness": [each.total_seconds() for each in freshness.values()],
        },
    )
    if not found:
        return ok("there are no genes yet: `just genes-import FILE` imports them")
    old = [each for each in found if each.missing + each.stale > MANY * each.genes]
    at_it = {each.source: each.run for each in old if each.run is not None}
    left = [each for each in old if each.source not in at_it]
    refreshed = "; ".join(f"run {run} is at {source}" for source, run in at_it.items())
    if not left:
        return ok(refreshed or f"{', '.join(freshness)} are fresh")
    return warning(
        f"{some([each.source for each in left])} has old or missing answers",
        required=some(
            [
                f"{each.source}: at most {span(freshness[each.source].total_seconds())} old"
                for each in left
            ]
        ),
        found=some(
            [
                f"{each.source}: {each.stale / each.genes:.0%} of the genes old,"
                f" {each.missing / each.genes:.0%} missing"
                for each in left
            ]
        )
        + (f"; {refreshed}" if refreshed else ""),
        remedy=f"just annotate {' '.join(each.source for each in left)}",
    )


_TERMS = """
SELECT e.detail ->> 'source' AS source, t.key AS term, max(t.value::bigint) AS count,
  max(e.run_id) AS run
FROM run_events e CROSS JOIN LATERAL jsonb_each_text(
  CASE WHEN jsonb_typeof(e.detail -> 'terms') = 'object' THEN e.detail -> 'terms' ELSE '{}' END) t
WHERE e.run_id > (SELECT max(id) FROM runs) - %(newest)s AND e.event = 'unknown_terms'
AND e.at > now() - make_interval(secs => %(seconds)s)
GROUP BY 1, 2 ORDER BY 3 DESC, 2 LIMIT 100
"""


@check(
    "runs.unknown-terms",
    "the sources' words are known",
    symptom="A source counts more as `other` than it did.",
    why="A classification that is not known here counts as `other`, whatever it means.",
    needs=("database.migrated",),
)
async def unknown_terms(context: Context) -> Finding:
    """Look at what the runs of the last month noted; what is known by now is left out."""
    from app.annotation.sources import SOURCES

    noted = await rows(context, _TERMS, {"newest": NEWEST, "seconds": A_MONTH})
    found = [
        each
        for each in noted
        if each.source not in SOURCES or not SOURCES[each.source].knows_term(each.term)
    ]
    if not found:
        return ok("none is new")
    names = sorted({each.source for each in found})
    return warning(
        f"{some(names)} uses words that are not known here, and they count as other",
        required="a version that knows them: see docs/how-to/upgrade.md",
        found=some([f"{each.term!r} ({each.count:,}, run {each.run})" for each in found]),
        remedy=f"just show {max(each.run for each in found)}",
    )


CHECKS = (lost, stuck, failing, sources_failing, stale_sources, unknown_terms)
