"""Compares the files that a source has read with the files that were accepted last."""

from collections.abc import Sequence

from app.annotation.refresh.plausibility import NotAccepted
from app.annotation.sources.accepted_files import accept, what_is_wrong_with
from app.annotation.sources.base import FileRead
from app.core.runs.attempt import Attempt


class FileChecks:
    """The checks of one source's files in one attempt.

    Args:
        attempt: guards the commit.
        run_id: the run.
        source: its name.
        accepted: whether an operator has accepted files that look wrong.
    """

    def __init__(self, attempt: Attempt, run_id: int, source: str, *, accepted: bool) -> None:
        self._attempt = attempt
        self._run_id = run_id
        self._source = source
        self._anything = accepted
        self._accepted: list[FileRead] = []

    async def judge(self, files: Sequence[FileRead]) -> None:
        """Make sure that the files are plausible. One that is not is discarded.

        Raises:
            NotAccepted: a file lost too much, or is older than the one accepted last.
        """
        async with self._attempt.reading() as connection:
            wrong = await what_is_wrong_with(connection, self._source, files)
        if wrong is not None and not self._anything:
            # a copy that is kept would stay in use, because no older file replaces it
            for file in files:
                await file.download.discard()
            raise NotAccepted(f"{self._source}: {wrong}; no answer of the file is stored")

    async def accept(self, files: Sequence[FileRead]) -> None:
        """Record the files as the ones accepted last, unless they are not plausible.

        Raises:
            NotAccepted: see :meth:`judge`.
        """
        new = [file for file in files if file not in self._accepted]
        if not new:
            return
        await self.judge(new)
        async with self._attempt.transaction(progress=False) as connection:
            await accept(connection, self._source, self._run_id, new)
        self._accepted += new
