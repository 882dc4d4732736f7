"""Doubts *absent* answers for genes that the source had something for.

A service that leaves genes out, or a file that lost its middle, gives such answers. So does a
source that has really removed a gene. The number of such genes tells the two apart. So the source
is asked again about each of them. A repeated answer is stored as *unknown* and *doubted* until the
source was asked about all genes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.refresh.batches import ask
from app.annotation.sources.base import Answer, ApiSource, Gene
from app.core.errors import KidneyGeneticsError
from app.core.runs.attempt import Attempt

MIN_IMPLAUSIBLE = 20
"""Fewer genes than this may turn absent in one run, whatever their share."""

MAX_PERCENT = 2
"""The percentage of the found genes of a source that may turn absent in one run."""

DOUBT = "the source now has nothing for this gene and had something before; not yet confirmed"
"""The reason of a doubted answer."""


class NotAccepted(KidneyGeneticsError):
    """A source's answers are not plausible, and are not stored."""


@dataclass
class Losses:
    """The losses of one source in one run.

    Attributes:
        source: its name.
        found: the number of genes that are found by the last good answers.
        doubted: the number of them that are absent in this run's answers.
        accepted: whether an operator has accepted the losses.
    """

    source: str
    found: int
    doubted: int
    accepted: bool

    @property
    def most(self) -> int:
        """The number of genes that may turn absent."""
        return max(MIN_IMPLAUSIBLE - 1, self.found * MAX_PERCENT // 100)

    def judge(self, more: int = 0) -> None:
        """Make sure that the doubted genes, and ``more`` of them, are not too many.

        Raises:
            NotAccepted: too many genes turned absent.
        """
        lost = self.doubted + more
        if lost > self.most and not self.accepted:
            raise NotAccepted(
                f"{self.source} now has nothing for {lost:,} of the {self.found:,} genes that it"
                f" had something for, and at most {self.most:,} are plausible; none of these"
                " answers is stored"
            )


_LOSSES = text(
    """
    SELECT s.accept_losses AS accepted,
      (SELECT count(*) FROM annotations WHERE source = :source AND state = 'found') AS found,
      (SELECT count(*) FROM annotations WHERE source = :source AND checked_run_id = :run_id
       AND doubted) AS doubted
    FROM run_sources s WHERE s.run_id = :run_id AND s.source = :source
    """
)

_FOUND_BEFORE = text(
    "SELECT gene_id FROM annotations WHERE source = :source AND state = 'found'"
    " AND gene_id = ANY(:gene_ids)"
)

_BELIEVE = text(
    """
    UPDATE annotations SET state = 'absent', data = NULL, release = :release,
      origin_id = checked_origin_id, fetched_at = checked_at, fetched_run_id = checked_run_id,
      checked_state = 'absent', reason = NULL, doubted = false
    WHERE source = :source AND checked_run_id = :run_id AND doubted
    """
)


async def losses_so_far(connection: AsyncConnection, run_id: int, source: str) -> Losses:
    """Count what earlier attempts of the run have committed.

    Args:
        connection: to read from.
        run_id: the run.
        source: its name.
    """
    row = (await connection.execute(_LOSSES, {"run_id": run_id, "source": source})).one()
    return Losses(source, row.found, row.doubted, row.accepted)


async def found_before(
    connection: AsyncConnection, source: str, gene_ids: Collection[int]
) -> set[int]:
    """Return those of the genes that are found by the source's last good answers."""
    if not gene_ids:
        return set()
    rows = await connection.execute(_FOUND_BEFORE, {"source": source, "gene_ids": list(gene_ids)})
    return set(rows.scalars())


async def turned_absent(attempt: Attempt, losses: Losses, answers: Sequence[Answer]) -> set[int]:
    """Return the genes that are absent in these answers and were found before.

    Args:
        attempt: to read with.
        losses: of the source. Once an operator has accepted them, no gene is returned.
        answers: the new ones.
    """
    absent = [answer.gene_id for answer in answers if answer.state == "absent"]
    if not absent or losses.accepted:
        return set()
    async with attempt.reading() as connection:
        return await found_before(connection, losses.source, absent)


async def ask_again(source: ApiSource, genes: Sequence[Gene], losses: Losses) -> list[Answer]:
    """Ask one by one about genes that turned absent, and doubt those that are absent again.

    Once too many genes are doubted, the rest is doubted without another request.

    Args:
        source: that is asked.
        genes: that turned absent.
        losses: of the source, without these genes.
    """
    answers: list[Answer] = []
    doubted = losses.doubted
    for gene in genes:
        if doubted <= losses.most:
            (answer,) = await ask(source, [gene])
            if answer.state != "absent":
                answers.append(answer)
                continue
        doubted += 1
        answers.append(Answer(gene.id, "unknown", reason=DOUBT, doubted=True))
    return answers


async def believe(
    connection: AsyncConnection, source: str, run_id: int, release: str | None
) -> int:
    """Store the doubted answers as absent, and return their number.

    Args:
        connection: in the attempt's transaction.
        source: its name.
        run_id: the run that doubted them.
        release: of the upstream.
    """
    result = await connection.execute(
        _BELIEVE, {"source": source, "run_id": run_id, "release": release}
    )
    return result.rowcount
