"""Holds the answers of a source that look wrong as a whole.

An answer can be well formed and still lack most of the data: a file was cut short between two rows,
a column was emptied, or a service has lost its index. A single answer does not show this. So the
files are compared with those that were accepted last, and the answers with those that are stored.
What looks wrong is held: nothing of it is stored until somebody accepts it.
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
"""Fewer genes than this may become absent in one run, whatever their share."""

MAX_OTHER_IDENTIFIERS = 0.1
"""The share of genes to which a file may give another identifier or symbol. HGNC changes less in
years; more means that a column was shifted, and all other sources would be asked about the wrong
genes."""

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
        attempt: guards every commit.
        info: the declaration of the source.
        settings: the thresholds.
        found: the number of genes that are found by the last good answers.
        first: whether the source has no good answer yet.
        accepted: what somebody accepted of this source in this run.
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
        """Read what the answers are compared with."""
        row = (await connection.execute(_ANSWERED, {"source": info.name})).one()
        accepted = await accepted_of(connection, attempt.ref.run_id, info.name)
        return cls(attempt, info, settings, row.found, row.answered == 0, accepted)

    @property
    def most(self) -> int:
        """The number of genes that may become absent."""
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
            genes: that the file was asked about.
            others: how many of them have another symbol or identifier in the file.
        """
        if others < MIN_IMPLAUSIBLE or others <= len(genes) * MAX_OTHER_IDENTIFIERS:
            return None
        return f"the file has another symbol or identifier for {others:,} of {len(genes):,} genes"

    def judge_losses(self, gone: Collection[int]) -> None:
        """Make sure that not too many genes became absent at a service.

        Args:
            gone: genes that were found before, and are absent in repeated answers.

        Raises:
            Held: there are too many.
        """
        if (reason := self._too_many(gone)) and not self._accepts(gone):
            raise Held([reason, *self._acceptance(gone)], gone)

    def judge_first(self, absent: Collection[int]) -> None:
        """Make sure that a service which has never found a gene has something for some.

        Args:
            absent: the genes that this first run asked about; none of them is found.

        Raises:
            Held: there are too many to be a coincidence.
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
        """Make sure that files, and the answers in them, look right. Then record the files.

        Args:
            files: that the source has read to their end.
            gone: genes that were found before and are absent in the files.
            absent: all genes that are absent in the files, if none is found there.
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
            # a copy that is kept would stay in use, because no older file replaces it
            for file in files:
                await file.download.discard()
            lost = {*gone, *absent}
            raise Held([*reasons, *self._acceptance(lost, judged)], lost, judged)
        async with self.attempt.transaction(progress=False) as connection:
            await accept(connection, self.info.name, self.attempt.ref.run_id, new)
        self._recorded += new

    def _too_many(self, gone: Collection[int]) -> str | None:
        if len(gone) <= self.most:
            return None
        return (
            f"{self.info.name} now has nothing for {len(gone):,} of the {self.found:,} genes that"
            f" it had something for, and at most {self.most:,} may become absent in one run"
            " (MAX_TURNED_ABSENT)"
        )

    def _nothing_found(self, absent: Collection[int]) -> str | None:
        if not self.first or len(absent) < MIN_IMPLAUSIBLE:
            return None
        return f"{self.info.name} has nothing for all of the {len(absent):,} genes of its first run"

    def _accepts(self, lost: Collection[int], judged: Iterable[Judged] | None = None) -> bool:
        """Tell whether somebody accepted this: no more genes and, of a file, the same files."""
        if self.accepted is None or len(lost) > self.accepted.genes:
            return False
        return judged is None or {each.digest for each in judged} <= self.accepted.digests

    def _acceptance(
        self, lost: Collection[int], judged: Iterable[Judged] | None = None
    ) -> list[str]:
        """Say why an acceptance does not count."""
        if self.accepted is None:
            return []
        if judged is not None and not {each.digest for each in judged} <= self.accepted.digests:
            return ["what was accepted is another file"]
        return [f"{self.accepted.genes:,} absent genes were accepted, and these are {len(lost):,}"]
