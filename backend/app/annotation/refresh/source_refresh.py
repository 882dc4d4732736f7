import asyncio
import logging
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.refresh import progress as counts
from app.annotation.refresh.by_api import refresh_by_api
from app.annotation.refresh.by_file import refresh_from_file
from app.annotation.refresh.due import Due, Rules, confirm
from app.annotation.refresh.file_checks import FileChecks
from app.annotation.refresh.ledger import Ledger
from app.annotation.refresh.plausibility import NotAccepted, believe, losses_so_far
from app.annotation.refresh.releases import Releases
from app.annotation.refresh.unknown_terms import note_unknown_terms
from app.annotation.settings import reads_file
from app.annotation.sources.base import ApiSource, FileSource, Source, WeighedSource
from app.annotation.upstream.settings import UpstreamSettings
from app.core.runs.attempt import Attempt

logger = logging.getLogger(__name__)


def nothing_but_unknowns(source: str) -> str:
    """Return the error of a source that gave no usable answer."""
    return f"got nothing but unknowns from {source}"


class Refresh:
    """One source's part of an attempt: asks about the genes that are due, and commits the answers.

    Args:
        attempt: guards every commit.
        source: that is asked.
        settings: with the thresholds.
        reading: limits the files that are read at a time, because each takes a processor.
        genes: the HGNC ids that the run is limited to; None means all genes.
    """

    def __init__(
        self,
        attempt: Attempt,
        source: Source,
        settings: UpstreamSettings,
        reading: asyncio.Semaphore,
        genes: list[str] | None,
    ) -> None:
        self._attempt = attempt
        self._source = source
        self._settings = settings
        self._reading = reading
        self._genes = genes
        self._name = source.info.name
        self._run_id = attempt.ref.run_id
        self._releases = Releases(source)

    async def run(self, *, afresh: bool) -> str | None:
        """Refresh the source's genes. Return None, or why the source failed.

        Args:
            afresh: whether this source has not begun, or the run was retried.

        Raises:
            Superseded, Wait, BadAnswer: see there.
        """
        await self._releases.look()
        due = self._due()
        async with self._attempt.transaction(progress=False) as connection:
            await self._releases.record(connection)
            progress = await counts.begin(connection, self._run_id, self._name, afresh=afresh)
            progress.confirm(*await confirm(connection, due.rules))
            losses = await losses_so_far(connection, self._run_id, self._name)
        ledger = Ledger(self._attempt, self._source, progress, losses)
        try:
            await self._ask_all(due, ledger)
            return await self._finish(ledger)
        except NotAccepted as refused:
            error = str(refused)
            logger.error("%s: %s", self._name, error)  # noqa: TRY400 - not an error of the code
            async with self._attempt.transaction(progress=True) as connection:
                await counts.finish(connection, self._run_id, self._name, error)
            return error

    async def _ask_all(self, due: Due, ledger: Ledger) -> None:
        genes = await self._measure(due, ledger)
        checks = FileChecks(
            self._attempt, self._run_id, self._name, accepted=ledger.losses.accepted
        )
        await checks.accept(self._source.files)
        progress = ledger.progress
        logger.info("%s: %d genes are due, %d done before", self._name, genes, progress.done)
        if isinstance(self._source, FileSource) and reads_file(self._source, genes, self._settings):
            genes = await self._read_file(self._source, due, ledger, checks) if genes else 0
        if genes and isinstance(self._source, ApiSource):
            await refresh_by_api(self._source, due, ledger, self._releases)

    async def _read_file(
        self, source: FileSource, due: Due, ledger: Ledger, checks: FileChecks
    ) -> int:
        await source.fetched()
        async with self._reading:
            return await refresh_from_file(source, due, ledger, checks)

    def _due(self) -> Due:
        ref = self._attempt.ref
        # a source added only to supply identifiers refreshes missing and stale genes only
        asked_for = ref.sources is None or self._name in ref.sources
        rules = Rules.of(
            self._source,
            self._releases.markers,
            everything=ref.mode == "full" and asked_for,
            genes=self._genes,
            run_id=self._run_id,
        )
        return Due(self._attempt, rules)

    async def _measure(self, due: Due, ledger: Ledger) -> int:
        """Count the genes that are due, and the expected work for them."""
        if isinstance(self._source, WeighedSource):
            genes = weight = 0
            async for page in due.pages():
                genes += len(page)
                weight += sum(await self._source.weights(page))
        else:
            genes = weight = await due.count()
        await ledger.expect(genes, weight)
        return genes

    async def _finish(self, ledger: Ledger) -> str | None:
        """End the source. Store the doubted answers as absent, because their number is known now.

        Raises:
            NotAccepted: too many answers are doubted.
        """
        progress, losses = ledger.progress, ledger.losses
        # asked before the run's row is locked, because the request may take long
        release = (await self._releases.origin()).release if losses.doubted else None
        async with self._attempt.transaction(progress=True) as connection:
            losses.judge()
            if losses.doubted:
                await self._believe(connection, ledger, release)
            error = None
            if progress.unknown and progress.unknown == progress.done:
                error = nothing_but_unknowns(self._name)
            await counts.save(connection, progress)
            await counts.finish(connection, self._run_id, self._name, error)
            terms = await note_unknown_terms(
                connection, self._run_id, self._attempt.ref.epoch, self._name
            )
        self._log(terms)
        return error

    async def _believe(
        self, connection: AsyncConnection, ledger: Ledger, release: str | None
    ) -> None:
        believed = await believe(connection, self._name, self._run_id, release)
        ledger.progress.unknown -= believed
        ledger.progress.absent += believed

    def _log(self, terms: Mapping[str, int]) -> None:
        if terms:
            logger.warning(
                "%s: this version does not know these terms and counts them as other: %s",
                self._name,
                ", ".join(f"{term!r} ({count:,})" for term, count in terms.items()),
            )
