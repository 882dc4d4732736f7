"""The doctor's check of unknown terms that runs have recorded."""

from app.core.checks import Check, Context, Finding, check, ok, warning
from app.core.errors import show_run
from app.core.runs.checks import NEWEST_RUNS
from app.core.text.words import some

A_MONTH = 30 * 86_400
"""A month in seconds."""

_TERMS = """
    SELECT e.detail ->> 'source' AS source, t.key AS term, max(t.value::bigint) AS count,
      max(e.run_id) AS run
    FROM run_events e CROSS JOIN LATERAL jsonb_each_text(CASE
      WHEN jsonb_typeof(e.detail -> 'terms') = 'object' THEN e.detail -> 'terms' ELSE '{}' END) t
    WHERE e.run_id > (SELECT max(id) FROM runs) - :newest AND e.event = 'unknown terms'
      AND e.at > now() - make_interval(secs => :seconds)
    GROUP BY 1, 2 ORDER BY 3 DESC, 2 LIMIT 100
"""


@check(
    "runs.unknown-terms",
    "this version knows all classifications of the sources",
    symptom="The answers of a source count more as `other` than before.",
    why="A classification that this version does not know counts as `other`, whatever it means.",
    needs=("database.migrated",),
)
async def unknown_terms(context: Context) -> Finding:
    """Check the terms that runs of the last month recorded and that are still unknown."""
    from sqlalchemy import text

    from app.annotation.sources import SOURCES

    recorded = await context.rows(text(_TERMS), newest=NEWEST_RUNS, seconds=A_MONTH)
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


CHECKS: tuple[Check, ...] = (unknown_terms,)
