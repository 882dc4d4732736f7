import asyncio
import logging
from collections.abc import Mapping

from app.annotation.refresh import progress as counts
from app.annotation.refresh.acceptance import Held, IsHeld, hold
from app.annotation.refresh.arrivals import record_arrival
from app.annotation.refresh.by_api import refresh_by_api
from app.annotation.refresh.by_file import refresh_from_file
from app.annotation.refresh.due import Due, Rules, confirm
from app.annotation.refresh.gates import Gates
from app.annotation.refresh.ledger import Ledger
from app.annotation.refresh.releases import Releases
from app.annotation.refresh.uncounted import Uncounted
from app.annotation.refresh.unknown_terms import note_unknown_terms
from app.annotation.settings import Settings, reads_file
from app.annotation.sources.base import ApiSource, FileSource, Source, WeighedSource
from app.core.errors import Superseded
from app.core.postgres.unavailable import is_unavailable
from app.core.runs.attempt import Attempt

logger = logging.getLogger(__name__)


def nothing_but_unknowns(source: str) -> str:
    """Return the error of a source that gave no usable answer."""
    return f"got nothing but unknowns from {source}"


class Refresh:
    """Refreshes one source in an attempt: asks about the due genes and commits the answers.

    Args:
        attempt: the attempt that guards every commit.
        source: the source to refresh.
        settings: the settings, which have the thresholds.
        reading: limits the number of concurrently read files, because each uses a processor.
        genes: the HGNC ids that the run is limited to; None means all genes.
    """

    def __init__(
        self,
        attempt: Attempt,
        source: Source,
        settings: Settings,
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
        self._uncounted = Uncounted(source)

    async def run(self, *, afresh: bool) -> str | IsHeld | None:
        """Refresh the source's genes. Return None, or the reason that the source failed or is held.

        Args:
            afresh: whether the source has not begun or the run was retried.

        Raises:
            Superseded: another attempt has taken over the run.
            Wait: the source cannot be asked now.
            BadAnswer: the source's answers cannot be used.
        """
        try:
            return await self._refresh(afresh=afresh)
        except Exception as error:
            # requests also count if the attempt ends because the service refuses them
            if not isinstance(error, Superseded) and not is_unavailable(error):
                async with self._attempt.transaction(progress=False) as connection:
                    await counts.save_spent(connection, self._run_id, self._name, self._uncounted)
            raise

    async def _refresh(self, *, afresh: bool) -> str | IsHeld | None:
        await self._releases.check()
        due = self._due()
        async with self._attempt.transaction(progress=False) as connection:
            await self._releases.record(connection)
            progress = await counts.begin(connection, self._run_id, self._name, afresh=afresh)
            progress.confirm(*await confirm(connection, due.rules))
            # no later attempt would confirm these genes again
            await counts.save(connection, progress, self._uncounted)
            gates = await Gates.open(connection, self._attempt, self._source.info, self._settings)
        ledger = Ledger(self._attempt, progress, self._uncounted)
        try:
            await self._ask_all(due, ledger, gates)
            return await self._finish(ledger)
        except Held as held:
            logger.error("%s: new answers are held and not stored: %s", self._name, held)  # noqa: TRY400 - no error of the code
            async with self._attempt.transaction(progress=True) as connection:
                await counts.save_spent(connection, self._run_id, self._name, self._uncounted)
                await hold(connection, self._attempt.ref, self._name, held)
            return IsHeld(held.reason)

    async def _ask_all(self, due: Due, ledger: Ledger, gates: Gates) -> None:
        genes = await self._measure(due, ledger)
        progress = ledger.progress
        logger.info("%s: %d genes are due, %d were done before", self._name, genes, progress.done)
        if isinstance(self._source, FileSource) and reads_file(self._source, genes, self._settings):
            genes = await self._read_file(self._source, due, ledger, gates) if genes else 0
        if genes and isinstance(self._source, ApiSource):
            await gates.judge_files(self._source.files)
            await refresh_by_api(self._source, due, ledger, gates, self._releases)

    async def _read_file(self, source: FileSource, due: Due, ledger: Ledger, gates: Gates) -> int:
        await source.fetched()
        async with self._reading:
            return await refresh_from_file(source, due, ledger, gates)

    def _due(self) -> Due:
        ref = self._attempt.ref
        # a source added only to supply identifiers refreshes missing and stale genes only
        asked_for = ref.sources is None or self._name in ref.sources
        rules = Rules.of(
            type(self._source),
            self._source.info,
            self._settings,
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
        progress = ledger.progress
        async with self._attempt.transaction(progress=True) as connection:
            error = None
            if progress.unknown and progress.unknown == progress.done:
                error = nothing_but_unknowns(self._name)
            await counts.save(connection, progress, self._uncounted)
            await counts.finish(connection, self._run_id, self._name, error)
            epoch = self._attempt.ref.epoch
            if error is None:
                await record_arrival(connection, self._run_id, epoch, self._name)
            terms = await note_unknown_terms(connection, self._run_id, epoch, self._name)
        self._log(terms)
        return error

    def _log(self, terms: Mapping[str, int]) -> None:
        if terms:
            logger.warning(
                "%s: counted unknown terms as other; a newer version may know them: %s",
                self._name,
                ", ".join(f"{term!r} ({count:,})" for term, count in terms.items()),
            )
