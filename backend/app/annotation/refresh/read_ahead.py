import tempfile
from collections.abc import Collection, Iterator, Sequence

import msgspec

from app.annotation.refresh.gates import MIN_IMPLAUSIBLE
from app.annotation.sources.answers import Answer

_MAX_UNKNOWN = 0.9
"""The share of genes that a file may leave unknown. A file that leaves more is held."""


class ReadAhead:
    """Keeps the answers of a whole bulk file until it is known whether they are held.

    The answers are kept in a temporary file, because they may have some 100 MB.

    Attributes:
        answered: the number of genes with an answer.
        found: the number of genes that are found in the file.
        unknown: the number of genes that the file says nothing about.
        absent: the genes that are absent in the file.
        turned_absent: those of them that were found before.
    """

    def __init__(self) -> None:
        self.answered = 0
        self.found = 0
        self.unknown = 0
        self.absent: set[int] = set()
        self.turned_absent: set[int] = set()
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._sizes: list[int] = []
        self._left_out: Collection[int] = ()

    def add(self, answers: Sequence[Answer], turned_absent: Collection[int]) -> None:
        """Keep a list of answers that can be stored (see `commits.storable_answers`)."""
        self.answered += len(answers)
        self.found += sum(answer.state == "found" for answer in answers)
        self.absent.update(answer.gene_id for answer in answers if answer.state == "absent")
        self.unknown += sum(answer.state == "unknown" for answer in answers)
        self.turned_absent.update(turned_absent)
        encoded = msgspec.json.encode(answers)
        self._file.write(encoded)
        self._sizes.append(len(encoded))

    def leave_out(self, gene_ids: Collection[int]) -> None:
        """Give no answer about these genes: they were withdrawn, and keep their annotations."""
        self._left_out = gene_ids
        self.turned_absent.difference_update(gene_ids)

    @property
    def says_nothing(self) -> str | None:
        """The reason to hold a file that says nothing about nearly all genes."""
        if self.unknown < MIN_IMPLAUSIBLE or self.unknown <= self.answered * _MAX_UNKNOWN:
            return None
        return f"the file says nothing about {self.unknown:,} of {self.answered:,} genes"

    def all(self) -> Iterator[list[Answer]]:
        """Yield all answers."""
        self._file.seek(0)
        for size in self._sizes:
            answers = msgspec.json.decode(self._file.read(size), type=list[Answer])
            if left := [each for each in answers if each.gene_id not in self._left_out]:
                yield left

    def close(self) -> None:
        """Remove the temporary file."""
        self._file.close()

    def certain(self, but: Collection[int]) -> Iterator[list[Answer]]:
        """Yield the answers that are not unknown.

        Args:
            but: genes that are left out, too.
        """
        for answers in self.all():
            certain = [
                answer
                for answer in answers
                if answer.state != "unknown" and answer.gene_id not in but
            ]
            if certain:
                yield certain
