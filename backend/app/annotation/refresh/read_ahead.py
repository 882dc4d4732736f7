import tempfile
from collections.abc import Collection, Iterator, Sequence

import msgspec

from app.annotation.refresh.gates import MIN_IMPLAUSIBLE
from app.annotation.sources.answers import Answer
from app.annotation.upstream.cache import waiting_for_disk

_MAX_UNKNOWN = 0.9
"""Maximum share of genes that a file may leave unknown. A file above it is held."""


class ReadAhead:
    """Stores the answers of a bulk file until the gates have checked the whole file.

    The answers are stored in a temporary file, because they may take 100 MB.

    Attributes:
        answered: the number of genes with an answer.
        found: the number of genes that are found in the file.
        unknown: the number of genes that are unknown in the file.
        absent: the genes that are absent from the file.
        turned_absent: the absent genes that were found before.
    """

    def __init__(self) -> None:
        self.answered = 0
        self.found = 0
        self.unknown = 0
        self.absent: set[int] = set()
        self.turned_absent: set[int] = set()
        with waiting_for_disk():
            # without a buffer, because its last part would be written when the file is read
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `close` closes it
        self._sizes: list[int] = []
        self._left_out: Collection[int] = ()

    def add(self, answers: Sequence[Answer], turned_absent: Collection[int]) -> None:
        """Append answers that can be stored (see `commits.storable_answers`).

        Raises:
            Wait: the disk is full.
        """
        self.answered += len(answers)
        self.found += sum(answer.state == "found" for answer in answers)
        self.absent.update(answer.gene_id for answer in answers if answer.state == "absent")
        self.unknown += sum(answer.state == "unknown" for answer in answers)
        self.turned_absent.update(turned_absent)
        encoded = msgspec.json.encode(answers)
        with waiting_for_disk():
            self._write(encoded)
        self._sizes.append(len(encoded))

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            # a disk with little space may take a part only
            rest = rest[self._file.write(rest) :]

    def leave_out(self, gene_ids: Collection[int]) -> None:
        """Drop the answers of these genes: they were withdrawn and keep their annotations."""
        self._left_out = gene_ids
        self.turned_absent.difference_update(gene_ids)

    @property
    def says_nothing(self) -> str | None:
        """The reason to hold a file that leaves nearly all genes unknown; None if it is usable."""
        if self.unknown < MIN_IMPLAUSIBLE or self.unknown <= self.answered * _MAX_UNKNOWN:
            return None
        return f"the file leaves {self.unknown:,} of {self.answered:,} genes unknown"

    def all(self) -> Iterator[list[Answer]]:
        """Yield all answers."""
        self._file.seek(0)
        for size in self._sizes:
            answers = msgspec.json.decode(self._file.read(size), type=list[Answer])
            if left := [answer for answer in answers if answer.gene_id not in self._left_out]:
                yield left

    def close(self) -> None:
        """Remove the temporary file."""
        self._file.close()

    def certain(self, but: Collection[int]) -> Iterator[list[Answer]]:
        """Yield the answers that are not unknown.

        Args:
            but: the genes to leave out.
        """
        for answers in self.all():
            certain = [
                answer
                for answer in answers
                if answer.state != "unknown" and answer.gene_id not in but
            ]
            if certain:
                yield certain
