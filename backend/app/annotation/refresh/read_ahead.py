from collections.abc import Collection, Iterator, Sequence

import msgspec

from app.annotation.refresh.plausibility import MIN_IMPLAUSIBLE
from app.annotation.sources.base import Answer

_MAX_UNKNOWN = 0.9
"""The share of genes that a file may leave unknown. A file that leaves more is not plausible."""


class ReadAhead:
    """The answers of a whole bulk file, kept until it is known whether they can be believed.

    They are kept encoded, at about 1 KB a gene: 20 MB for 20,000 genes.

    Attributes:
        answered: genes that there is an answer for.
        unknown: genes that the file does not tell of.
        turned_absent: genes that the file has nothing for and the source had something for.
    """

    def __init__(self) -> None:
        self.answered = 0
        self.unknown = 0
        self.turned_absent: set[int] = set()
        self._lists: list[bytes] = []

    def add(self, answers: Sequence[Answer], turned_absent: Collection[int]) -> None:
        """Keep a list of answers that can be stored (see `commits.storable_answers`)."""
        self.answered += len(answers)
        self.unknown += sum(answer.state == "unknown" for answer in answers)
        self.turned_absent.update(turned_absent)
        self._lists.append(msgspec.json.encode(answers))

    @property
    def says_nothing(self) -> bool:
        """Whether it tells nothing of nearly all genes."""
        return self.unknown >= MIN_IMPLAUSIBLE and self.unknown > self.answered * _MAX_UNKNOWN

    @property
    def left(self) -> int:
        """How many genes have to be asked about one by one."""
        return self.unknown + len(self.turned_absent)

    def all(self) -> Iterator[list[Answer]]:
        """Give all answers again."""
        for encoded in self._lists:
            yield msgspec.json.decode(encoded, type=list[Answer])

    def certain(self) -> Iterator[list[Answer]]:
        """Give the answers again, without those of the genes that are left."""
        for answers in self.all():
            certain = [
                answer
                for answer in answers
                if answer.state != "unknown" and answer.gene_id not in self.turned_absent
            ]
            if certain:
                yield certain
