"""Holds the answers of a source that look wrong as a whole.

Answers can be well formed although most data are missing: a file may be truncated between two rows,
a column may be empty, or a service may have lost its index. A single answer does not show this. The
gates therefore compare files with the last accepted ones, and answers with the stored ones. Answers
that look wrong are held: none is stored until a person accepts them.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.refresh.acceptance import Accepted, Held, accepted_of
from app.annotation.sources.accepted_files import Judged, accept, judge
from app.annotation.sources.answers import Answer, FileRead, Gene
from app.annotation.sources.declaration import SourceInfo
from app.annotation.sources.thresholds import Thresholds
from app.core.runs.attempt import Attempt

MIN_IMPLAUSIBLE = 20
"""Fewer than this many genes may always become absent in one run, whatever their share."""

MAX_OTHER_IDENTIFIERS = 0.1
"""Maximum share of genes whose identifier or symbol a file may change. HGNC changes fewer in years.
A larger share means that a column was shifted, so that all other sources would be asked about the
wrong genes."""

_ANSWERED = text(
    """
    SELECT count(*) FILTER (WHERE state = 'found') AS found,
      count(*) FILTER (WHERE state <> 'unknown') AS answered
    FROM annotations WHERE source = :source
    """
)

_FOUND_BEFORE = text(
    "SELECT gene_id FROM annotations WHERE source = :source AND state = 'found'"
    " AND gene_id = ANY(:gene_ids)"
)


@dataclass
class Gates:
    """The checks of one source's files and answers in one attempt.

    Attributes:
        attempt: the attempt that guards every commit.
        info: the declaration of the source.
        settings: the thresholds.
        found: the number of genes whose last good answer is found.
        first: whether the source has no good answer yet.
        accepted: what a person accepted of this source in this run.
    """

    attempt: Attempt
    info: SourceInfo
    settings: Thresholds
    found: int
    first: bool
    accepted: Accepted | None
    _recorded: list[FileRead] = field(default_factory=list)

    @classmethod
    async def open(
        cls, connection: AsyncConnection, attempt: Attempt, info: SourceInfo, settings: Thresholds
    ) -> "Gates":
        """Read the stored state that the answers are compared with."""
        row = (await connection.execute(_ANSWERED, {"source": info.name})).one()
        accepted = await accepted_of(connection, attempt.ref.run_id, info.name)
        return cls(attempt, info, settings, row.found, row.answered == 0, accepted)

    @property
    def max_gone(self) -> int:
        """The maximum number of genes that may become absent in this run."""
        return max(MIN_IMPLAUSIBLE - 1, int(self.found * self.settings.max_turned_absent))

    async def turned_absent(self, answers: Sequence[Answer]) -> set[int]:
        """Return the genes that are absent in these answers and were found before."""
        absent = [answer.gene_id for answer in answers if answer.state == "absent"]
        if not absent or not self.found:
            return set()
        values = {"source": self.info.name, "gene_ids": absent}
        async with self.attempt.reading() as connection:
            return set((await connection.execute(_FOUND_BEFORE, values)).scalars())

    def too_many_others(self, genes: Collection[Gene], others: int) -> str | None:
        """Return the reason to hold a file that gives too many genes another identifier.

        Args:
            genes: the genes that the file was read for.
            others: the number of genes whose symbol or identifier differs in the file.
        """
        if others < MIN_IMPLAUSIBLE or others <= len(genes) * MAX_OTHER_IDENTIFIERS:
            return None
        return f"the file has another symbol or identifier for {others:,} of {len(genes):,} genes"

    def judge_losses(self, gone: Collection[int]) -> None:
        """Check that not too many genes became absent at a service.

        Args:
            gone: the genes that were found before and are absent in repeated answers.

        Raises:
            Held: too many genes became absent.
        """
        if (reason := self._too_many(gone)) and not self._accepts(gone):
            raise Held([reason, *self._acceptance(gone)], gone)

    def judge_first(self, absent: Collection[int]) -> None:
        """Check that the first run of a source finds some genes.

        Args:
            absent: the genes of this first run, all of them absent.

        Raises:
            Held: there are too many for a coincidence.
        """
        if (reason := self._nothing_found(absent)) and not self._accepts(absent):
            raise Held([reason, *self._acceptance(absent)], absent)

    async def judge_files(
        self,
        files: Sequence[FileRead],
        *,
        gone: Collection[int] = (),
        absent: Collection[int] = (),
        unusable: str | None = None,
    ) -> None:
        """Check files and the answers in them, and record the accepted files.

        Args:
            files: the files, after the source has read them completely.
            gone: the genes that were found before and are absent from the files.
            absent: all genes absent from the files, if none is found in them.
            unusable: another reason to hold the files.

        Raises:
            Held: the files look wrong. The local copies are removed.
        """
        new = [file for file in files if file not in self._recorded]
        if not new and not gone and not absent and not unusable:
            return
        async with self.attempt.reading() as connection:
            judged = await judge(connection, self.info, files, self.settings)
        reasons = [each.problem for each in judged if each.problem]
        reasons += filter(None, (self._too_many(gone), self._nothing_found(absent), unusable))
        if reasons and not self._accepts({*gone, *absent}, judged):
            # otherwise the bad copy would stay in use, because an older file never replaces it
            for file in files:
                await file.download.discard()
            lost = {*gone, *absent}
            raise Held([*reasons, *self._acceptance(lost, judged)], lost, judged)
        async with self.attempt.transaction(progress=False) as connection:
            await accept(connection, self.info.name, self.attempt.ref.run_id, new)
        self._recorded += new

    def _too_many(self, gone: Collection[int]) -> str | None:
        if len(gone) <= self.max_gone:
            return None
        return (
            f"{self.info.name} now has no data for {len(gone):,} of the {self.found:,} genes that"
            f" were found before; at most {self.max_gone:,} may become absent in one run"
            " (MAX_TURNED_ABSENT)"
        )

    def _nothing_found(self, absent: Collection[int]) -> str | None:
        if not self.first or len(absent) < MIN_IMPLAUSIBLE:
            return None
        return f"{self.info.name} has no data for any of the {len(absent):,} genes of its first run"

    def _accepts(self, lost: Collection[int], judged: Iterable[Judged] | None = None) -> bool:
        """Tell whether a person accepted these files and at least as many absent genes."""
        if self.accepted is None or len(lost) > self.accepted.genes:
            return False
        return judged is None or {each.digest for each in judged} <= self.accepted.digests

    def _acceptance(
        self, lost: Collection[int], judged: Iterable[Judged] | None = None
    ) -> list[str]:
        """Return why an acceptance does not apply."""
        if self.accepted is None:
            return []
        if judged is not None and not {each.digest for each in judged} <= self.accepted.digests:
            return ["another file was accepted"]
        return [
            f"{self.accepted.genes:,} absent genes were accepted, but {len(lost):,} are absent now"
        ]
