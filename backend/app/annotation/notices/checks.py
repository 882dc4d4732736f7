"""The doctor's check of the age of the answers."""

from app.annotation.notices.staleness import MAX_OLD_SHARE, SAMPLE_GENES, STALE
from app.core.checks import Check, Context, Finding, check, ok, warning
from app.core.errors import annotate
from app.core.text.words import some, time_span


@check(
    "runs.stale-sources",
    "answers are as fresh as their sources require",
    symptom="Genes have old answers, or none.",
    why="Users work with answers that the source may have corrected since.",
    needs=("database.migrated",),
)
async def stale_sources(context: Context) -> Finding:
    """Check a sample of the genes. Sources that are disabled or being refreshed pass."""
    from sqlalchemy import text

    from app.annotation.settings import Settings
    from app.annotation.sources import SOURCES

    assert isinstance(context.settings, Settings)
    enabled = context.settings.enabled_sources
    freshness = {name: SOURCES[name].info.freshness.total_seconds() for name in enabled}
    found = await context.rows(
        text(STALE),
        sample=SAMPLE_GENES,
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
        required=some([f"{name}: at most {time_span(freshness[name])} old" for name in names]),
        found=some(
            [
                f"{each.source}: {each.stale / each.genes:.0%} of the genes old,"
                f" {each.missing / each.genes:.0%} missing"
                for each in left
            ]
        ),
        remedy=annotate(*names),
    )


CHECKS: tuple[Check, ...] = (stale_sources,)
