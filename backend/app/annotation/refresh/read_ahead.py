import tempfile
from collections.abc import Collection, Iterator, Sequence

import msgspec

from app.annotation.refresh.plausibility import MIN_IMPLAUSIBLE
from app.annotation.sources.base import Answer

_MAX_UNKNOWN = 0.9
"""The share of genes that a file may leave unknown. A file that leaves more is not plausible."""


class ReadAhead:
    """Keeps the answers of a whole bulk file until it is known whether they are plausible.

    The answers are kept in a temporary file, because they may have some 100 MB.

    Attributes:
        answered: the number of genes with an answer.
        unknown: the number of genes that the file says nothing about.
        turned_absent: the genes that are absent in the file, and were found before.
    """

    def __init__(self) -> None:
        self.answered = 0
        self.unknown = 0
        self.turned_absent: set[int] = set()
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._sizes: list[int] = []

    def add(self, answers: Sequence[Answer], turned_absent: Collection[int]) -> None:
        """Keep a list of answers that can be stored (see `commits.storable_answers`)."""
        self.answered += len(answers)
        self.unknown += sum(answer.state == "unknown" for answer in answers)
        self.turned_absent.update(turned_absent)
        encoded = msgspec.json.encode(answers)
        self._file.write(encoded)
        self._sizes.append(len(encoded))

    @property
    def says_nothing(self) -> bool:
        """Whether the file says nothing about nearly all genes."""
        return self.unknown >= MIN_IMPLAUSIBLE and self.unknown > self.answered * _MAX_UNKNOWN

    @property
    def left(self) -> int:
        """The number of genes that the service has to be asked about."""
        return self.unknown + len(self.turned_absent)

    def all(self) -> Iterator[list[Answer]]:
        """Yield all answers."""
        self._file.seek(0)
        for size in self._sizes:
            yield msgspec.json.decode(self._file.read(size), type=list[Answer])

    def close(self) -> None:
        """Remove the temporary file."""
        self._file.close()

    def certain(self) -> Iterator[list[Answer]]:
        """Yield the answers, except those of the genes that the service is asked about."""
        for answers in self.all():
            certain = [
                answer
                for answer in answers
                if answer.state != "unknown" and answer.gene_id not in self.turned_absent
            ]
            if certain:
                yield certain
