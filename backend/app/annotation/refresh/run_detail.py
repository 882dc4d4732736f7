from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.runs import views
from app.core.runs.shapes import Run
from app.core.text.field_docs import View

MAX_REASONS = 20
"""Maximum number of reasons shown for a run."""


class UnknownReason(View):
    """A reason of unknown answers."""

    source: str
    reason: str | None
    genes: int
    """The number of genes with this reason."""
    example: str
    """The symbol of one of them."""


class RunDetail(Run):
    """A run, and the reasons of its unknown answers."""

    unknown_reasons: list[UnknownReason]
    """At most 20 reasons, the most frequent first."""


_REASONS = text(
    """
    SELECT a.source, a.reason, count(*) AS genes, min(g.symbol) AS example
    FROM annotations a JOIN genes g ON g.id = a.gene_id
    WHERE a.checked_run_id = :run_id AND a.checked_state = 'unknown'
    GROUP BY a.source, a.reason ORDER BY count(*) DESC, a.source, a.reason LIMIT :most
    """
)


async def get_detail(connection: AsyncConnection, run_id: int) -> RunDetail:
    """Return one run.

    Raises:
        NotFound: no such run.
    """
    run = await views.get_run(connection, run_id)
    reasons: list[UnknownReason] = []
    if any(each.unknown for each in run.progress):
        found = await connection.execute(_REASONS, {"run_id": run_id, "most": MAX_REASONS})
        reasons = [UnknownReason(**row) for row in found.mappings()]
    return RunDetail(**dict(run), unknown_reasons=reasons)
