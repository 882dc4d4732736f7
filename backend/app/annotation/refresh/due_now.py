"""Counts the genes that are due, without asking any source for its current release."""

from collections.abc import Collection, Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.own_tables.registry import all_sources
from app.annotation.own_tables.source import OwnTable
from app.annotation.refresh.coverage import Coverage
from app.annotation.refresh.due import Rules, count_due_again
from app.annotation.settings import Settings
from app.annotation.sources import SOURCES


async def count_due_now(
    connection: AsyncConnection,
    settings: Settings,
    names: Collection[str],
    genes: int,
    answered: Mapping[str, Coverage],
) -> dict[str, int]:
    """Return how many genes a smart run would ask each source about, for the last known releases.

    Args:
        connection: the database connection.
        settings: the settings of the sources.
        names: the names of the sources.
        genes: the number of genes to annotate.
        answered: the coverage by source.
    """
    declared = await all_sources(connection)
    rules = [
        Rules.of(
            SOURCES.get(name, OwnTable),
            declared[name],
            settings,
            None,
            everything=False,
            genes=None,
        )
        for name in names
    ]
    again = await count_due_again(connection, rules)
    return {
        rule.source: again.get(rule.source, 0) + genes - _asked(answered.get(rule.source))
        for rule in rules
    }


def _asked(coverage: Coverage | None) -> int:
    return coverage.genes if coverage else 0
