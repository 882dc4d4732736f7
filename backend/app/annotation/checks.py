"""The doctor's checks of annotations: their age, unknown terms, and the size of the history."""

from app.annotation.notices.staleness import MAX_OLD_SHARE, SAMPLE, STALE
from app.core.checks import Check, Context, Finding, check, ok, warning
from app.core.errors import EDIT_SETTINGS, annotate, show_run
from app.core.runs.checks import NEWEST
from app.core.words import size, some, span

A_MONTH = 30 * 86_400
"""Seconds."""


@check(
    "runs.stale-sources",
    "answers are as fresh as their sources require",
    symptom="Genes have old answers, or none.",
    why="Users work with answers that the source has since corrected.",
    needs=("database.migrated",),
)
async def stale_sources(context: Context) -> Finding:
    """Look at a sample of the genes. Sources that are disabled or being refreshed are fine."""
    from sqlalchemy import text

    from app.annotation.settings import Settings
    from app.annotation.sources import SOURCES

    assert isinstance(context.settings, Settings)
    enabled = context.settings.enabled_sources
    freshness = {name: SOURCES[name].info.freshness.total_seconds() for name in enabled}
    found = await context.rows(
        text(STALE),
        sample=SAMPLE,
        sources=list(freshness),
        freshness=list(freshness.values()),
    )
    if not found:
        return ok("there are no genes yet")
    old = [each for each in found if each.missing + each.stale > MAX_OLD_SHARE * each.genes]
    left = [each for each in old if each.run is None]
    if not left:
        running = [f"run {each.run} is refreshing {each.source}" for each in old]
        return ok("; ".join(running) or f"{', '.join(freshness)} are fresh")
    names = [each.source for each in left]
    return warning(
        f"{some(names)}: answers are old or missing",
        required=some([f"{name}: at most {span(freshness[name])} old" for name in names]),
        found=some(
            [
                f"{each.source}: {each.stale / each.genes:.0%} of the genes old,"
                f" {each.missing / each.genes:.0%} missing"
                for each in left
            ]
        ),
        remedy=annotate(*names),
    )


_TERMS = """
    SELECT e.detail ->> 'source' AS source, t.key AS term, max(t.value::bigint) AS count,
      max(e.run_id) AS run
    FROM run_events e CROSS JOIN LATERAL jsonb_each_text(CASE
      WHEN jsonb_typeof(e.detail -> 'terms') = 'object' THEN e.detail -> 'terms' ELSE '{}' END) t
    WHERE e.run_id > (SELECT max(id) FROM runs) - :newest AND e.event = 'unknown_terms'
      AND e.at > now() - make_interval(secs => :seconds)
    GROUP BY 1, 2 ORDER BY 3 DESC, 2 LIMIT 100
"""


@check(
    "runs.unknown-terms",
    "this version knows all classifications of the sources",
    symptom="A source counts more as `other` than before.",
    why="A classification that this version does not know counts as `other`, whatever it means.",
    needs=("database.migrated",),
)
async def unknown_terms(context: Context) -> Finding:
    """Look at the terms that runs of the last month recorded, without those that are known now."""
    from sqlalchemy import text

    from app.annotation.sources import SOURCES

    recorded = await context.rows(text(_TERMS), newest=NEWEST, seconds=A_MONTH)
    found = [
        each
        for each in recorded
        if each.source not in SOURCES or not SOURCES[each.source].knows_term(each.term)
    ]
    if not found:
        return ok("no unknown term")
    return warning(
        f"{some(sorted({each.source for each in found}))}: unknown terms count as other",
        required="a version that knows them; docs/how-to/upgrade.md describes the upgrade",
        found=some([f"{each.term!r} ({each.count:,}, run {each.run})" for each in found]),
        remedy=show_run(max(each.run for each in found)),
    )


LARGE_HISTORY = 20_000_000_000
"""Bytes of the history from which on somebody should decide how long it is kept."""

MOST_COUNTED = 100_000
"""Former answers that are counted exactly."""

_HISTORY = """
    SELECT pg_total_relation_size('annotation_history') AS bytes,
      (SELECT greatest(reltuples, 0)::bigint FROM pg_class
       WHERE oid = 'annotation_history'::regclass) AS about,
      (SELECT count(*) FROM (SELECT FROM annotation_history LIMIT :most) part) AS counted,
      (SELECT count(*) FROM (SELECT valid_from, valid_to FROM annotation_history
         WHERE valid_to < now() - make_interval(days => CAST(:days AS int)) LIMIT :most) h
       WHERE NOT EXISTS (SELECT FROM snapshots s
         WHERE s.at >= h.valid_from AND s.at < h.valid_to)) AS ended
"""


@check(
    "runs.history",
    "the history of the answers has a size that somebody decided on",
    symptom="The disk of PostgreSQL fills up although there are no more genes.",
    why="By default all former answers are kept.",
    remedy=EDIT_SETTINGS,
    needs=("database.migrated",),
)
async def history(context: Context) -> Finding:
    """Look at the size of the history, and at what HISTORY_DAYS would remove of it."""
    from sqlalchemy import text

    from app.annotation.settings import Settings

    assert isinstance(context.settings, Settings)
    days = context.settings.history_days
    (found,) = await context.rows(text(_HISTORY), days=days, most=MOST_COUNTED)
    number = max(found.about, found.counted) if found.counted == MOST_COUNTED else found.counted
    has = f"{number:,} former answers, {size(found.bytes)}"
    if days is not None:
        ended = f"at least {found.ended:,}" if found.ended == MOST_COUNTED else f"{found.ended:,}"
        return ok(f"{has}; {ended} are to be removed, after {days} days (HISTORY_DAYS)")
    if found.bytes < LARGE_HISTORY:
        return ok(f"{has}; all are kept, because HISTORY_DAYS is not set")
    return warning(
        f"the history has {size(found.bytes)}, and all of it is kept",
        required=f"HISTORY_DAYS, or less than {size(LARGE_HISTORY)}",
        found=has,
    )


CHECKS: tuple[Check, ...] = (stale_sources, unknown_terms, history)
