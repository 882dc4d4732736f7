"""Groups the rows of files by the requested genes. Most readers use this module.

A reader receives the request of :meth:`~.base.FileSource.bulk`. It adds the rows of each file to a
:class:`Grouped`, and :func:`reading` makes the answers::

    def read(request: Any, path: Path) -> Reading:
        rows = Grouped[Row](ReaderRequest.of(request), "ensembl_gene_id")
        for line in read_table(path, COLUMNS):
            rows.add(line.values[0], Row(...))
        return reading([rows], lambda rows: Data(...))
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Generic, Literal, TypeVar

import msgspec

from app.annotation.sources.answers import MAX_ANSWERS, Gene
from app.annotation.upstream.bulk_files.messages import Count, Reading

T = TypeVar("T")

MAX_PART_BYTES = 256 * 1024
"""Maximum size of a list of several answers as JSON, in bytes. One statement stores a list, and the
driver blocks the event loop while it quotes the list."""

Key = Literal["hgnc_id", "entrez_id", "ensembl_gene_id", "symbol"]
"""The identifier that the rows of a file name genes by."""

_IN_WORDS: dict[Key, str] = {
    "hgnc_id": "HGNC id",
    "entrez_id": "Entrez id",
    "ensembl_gene_id": "Ensembl id",
    "symbol": "symbol",
}


HGNC_ID = re.compile(r"HGNC:[1-9]\d{0,8}", re.ASCII)
ENTREZ_ID = re.compile(r"[1-9]\d{0,9}", re.ASCII)


def lacks(key: Key) -> str:
    """Return the reason that the answer about a gene without the identifier is unknown."""
    return f"the gene has no {_IN_WORDS[key]}, by which the source identifies genes"


class ReaderRequest(msgspec.Struct):
    """The request for a reader.

    Attributes:
        genes: the due genes, in the order of the expected answers.
        options: the options of :meth:`~.base.FileSource.options`.
    """

    genes: list[Gene]
    options: dict[str, Any] = {}

    @classmethod
    def of(cls, request: Any) -> "ReaderRequest":
        """Return a request from its JSON form."""
        return msgspec.convert(request, cls)


class Grouped(Generic[T]):
    """The rows of one file about the requested genes.

    Args:
        request: with the genes.
        by: the identifier by which the file names genes.

    Attributes:
        request: with the genes.
        requested: the identifiers of the requested genes. A reader may skip other rows after it has
            counted them with :meth:`count`.
        rows: the number of rows of all genes.
    """

    def __init__(self, request: ReaderRequest, by: Key) -> None:
        self.request = request
        self.by = by
        self.rows = 0
        self._genes: set[str] = set()
        self._kept: dict[str, list[T]] = {}
        if by == "symbol":
            names = (name for gene in request.genes for name in (gene.symbol, *gene.other_symbols))
            self.requested = frozenset(names)
            self.requested |= {name for gene in request.genes for name in gene.ambiguous_symbols}
        else:
            found = (getattr(gene, by) for gene in request.genes)
            self.requested = frozenset(filter(None, found))
        if by == "hgnc_id":
            self.requested |= {
                hgnc_id for gene in request.genes for hgnc_id in gene.merged_hgnc_ids
            }

    def count(self, key: str, *, says_something: bool = True) -> None:
        """Count a row.

        Args:
            key: the key of its gene.
            says_something: whether the row has a value that is not empty and not 0. A file in which
                all values became 0 has no gene with such a row and is held.
        """
        self.rows += 1
        if says_something:
            self._genes.add(key)

    def add(self, key: str, row: T, *, says_something: bool = True) -> None:
        """Count a row, and keep it if its gene was requested; see :meth:`count`."""
        self.count(key, says_something=says_something)
        if key in self.requested:
            self._kept.setdefault(key, []).append(row)

    @property
    def size(self) -> Count:
        """The size of the file."""
        return Count(self.rows, len(self._genes))

    def find(self, gene: Gene) -> list[T] | str:
        """Return the rows of a gene, or the reason that they cannot be identified."""
        if self.by != "symbol":
            key = getattr(gene, self.by)
            if key is None:
                return lacks(self.by)
            rows = self._kept.get(key, [])
            if self.by == "hgnc_id":
                # an older file may name genes that were merged into this one later
                merged = (self._kept.get(hgnc_id, []) for hgnc_id in gene.merged_hgnc_ids)
                return [*rows, *chain.from_iterable(merged)]
            return rows
        for name in (gene.symbol, *gene.other_symbols):
            if name in self._kept:
                return self._kept[name]
        for name in gene.ambiguous_symbols:
            if name in self._kept:
                return f"the source has {name}, which may be this gene or another one"
        return []


def reading(
    files: Sequence[Grouped[Any]],
    data: Callable[..., msgspec.Struct | str | None],
    *,
    sizes: Sequence[Count] | None = None,
    release: str | None = None,
) -> Reading:
    """Return the answers about the requested genes.

    A gene that lacks the identifier of one of the files is unknown, because a partial answer is
    unknown.

    Args:
        files: the rows of the files, which were read completely.
        data: called with the rows of a gene, one list for each file; at least one list is not
            empty. It returns the gene's data, None if the source has no data for the gene, or a
            sentence with the reason that the answer is unknown.
        sizes: the sizes of all files of the reader, if these are not ``files``.
        release: the release that a file names.
    """

    def answers() -> Iterator[msgspec.Struct | str | None]:
        for gene in files[0].request.genes:
            found = [file.find(gene) for file in files]
            reason = next((each for each in found if isinstance(each, str)), None)
            yield reason or (data(*found) if any(found) else None)

    return Reading(sizes or [file.size for file in files], in_parts(answers()), release)


def in_parts(answers: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield answers in lists, each small enough for one statement."""
    part: list[Any] = []
    size = 0
    for answer in answers:
        more = len(msgspec.json.encode(answer))
        if part and (len(part) == MAX_ANSWERS or size + more > MAX_PART_BYTES):
            yield part
            part, size = [], 0
        part.append(answer)
        size += more
    if part:
        yield part
