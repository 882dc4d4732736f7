"""Reads STRING's links: millions of short lines into the best partners of each gene.

This runs in a process of its own (see `upstream.bulk_files`), and is written for speed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path

from app.annotation.sources.stringdb.data import LEVELS, MAX_PARTNERS
from app.annotation.sources.stringdb.proteins import MAX_BYTES, MAX_LINE_BYTES
from app.annotation.upstream.bulk_files.lines import UnusableFile, blocks_of_lines, opened_ahead
from app.annotation.upstream.bulk_files.messages import Count

LINK_COLUMNS = ("protein1", "protein2", "combined_score")

_MAX_SCORE = 1_000
_MAX_ONE_WAY_SHARE = 0.01
"""Each link has a row for both directions. A file in which they differ more is cut short."""

_MAX_UNKNOWN_SHARE = 0.05
"""The share of proteins in the links that the list of proteins may lack."""

_SCORES = {str(score).encode(): score for score in range(1, _MAX_SCORE + 1)}


class Partners:
    """The partners of one gene, with the best score of each.

    Only those are kept that count: those with at least the lowest level, and the strongest others.

    Args:
        own: the keys of the gene itself, which is no partner of its own.

    Attributes:
        best: the score of each partner, by the partner's key.
    """

    def __init__(self, own: Iterable[str]) -> None:
        self.best: dict[str, int] = {}
        self._own = tuple(own)
        self._kept = 0

    def shrink(self) -> None:
        """Forget what does not count. It is called when the links of a protein end."""
        for key in self._own:
            self.best.pop(key, None)
        if len(self.best) <= 2 * self._kept + MAX_PARTNERS:
            return
        enough = {key: score for key, score in self.best.items() if score >= LEVELS[0]}
        if len(enough) < MAX_PARTNERS:
            enough = dict(self.strongest())
        self.best = enough
        self._kept = len(enough)

    def count(self, level: int) -> int:
        """Return how many partners have at least a score."""
        return sum(score >= level for score in self.best.values())

    def strongest(self) -> list[tuple[str, int]]:
        """Return the partners with the highest scores; of equal ones those with the first keys."""
        return sorted(self.best.items(), key=lambda each: (-each[1], each[0]))[:MAX_PARTNERS]


class Links:
    """Adds links to the partners of genes.

    Args:
        genes: the partners of the genes that were asked for, by the id of each of their proteins. A
            protein may belong to several genes.
        keys: what a protein is counted as when it is a partner, for all proteins.
    """

    def __init__(
        self, genes: Mapping[bytes, Sequence[Partners]], keys: Mapping[bytes, str]
    ) -> None:
        self._genes = genes
        self._keys = keys
        self._rows = 0
        self._forwards = 0
        self._protein = b""
        self._proteins: set[bytes] = set()

    def read(self, path: Path) -> Count:
        """Read a file with one row for each pair of proteins and direction.

        Raises:
            UnusableFile: a column is missing, a row cannot be read, the directions of the links do
                not match, or the proteins are not those of the list.
            EOFError, OSError: the file is cut short, or is not a gzip file.
        """
        with opened_ahead(path) as stream:
            blocks = blocks_of_lines(
                stream, max_line=MAX_LINE_BYTES, max_size=MAX_BYTES, ended=True
            )
            lines = next(blocks, [b""])
            header = lines[0].decode("utf-8", "replace").strip("#\r").split(" ")
            if missing := [name for name in LINK_COLUMNS if name not in header]:
                raise UnusableFile(f"{path.name} has no column {', '.join(missing)}")
            read = itemgetter(*(header.index(name) for name in LINK_COLUMNS))
            self._add(path, lines[1:], read, len(header))
            for lines in blocks:
                self._add(path, lines, read, len(header))
        self._turn_to(b"")
        self._check(path)
        return Count(self._rows, len(self._proteins))

    def _add(
        self,
        path: Path,
        lines: Sequence[bytes],
        read: Callable[[Sequence[bytes]], tuple[bytes, bytes, bytes]],
        width: int,
    ) -> None:
        keys, scores, protein = self._keys, _SCORES, self._protein
        bests = [each.best for each in self._genes.get(protein, ())]
        forwards = 0
        for line in lines:
            fields = line.split(b" ")
            if len(fields) != width:
                raise UnusableFile(f"{path.name} has a row that is none: {line[:80]!r}")
            first, second, score_text = read(fields)
            score = scores.get(score_text)
            if score is None:
                raise UnusableFile(f"{path.name} has a score that is none: {line[:80]!r}")
            if first != protein:
                self._turn_to(first)
                protein = first
                bests = [each.best for each in self._genes.get(protein, ())]
            if first < second:
                forwards += 1
            for best in bests:
                key = keys.get(second) or second.decode("utf-8", "replace")
                if score > best.get(key, 0):
                    best[key] = score
        self._rows += len(lines)
        self._forwards += forwards

    def _turn_to(self, protein: bytes) -> None:
        for each in self._genes.get(self._protein, ()):
            each.shrink()
        self._protein = protein
        if protein:
            self._proteins.add(protein)

    def _check(self, path: Path) -> None:
        backwards = self._rows - self._forwards
        if abs(self._forwards - backwards) > _MAX_ONE_WAY_SHARE * self._rows:
            raise UnusableFile(
                f"{path.name} has {self._forwards:,} links in one direction and {backwards:,} in"
                " the other, so that a part is missing"
            )
        unknown = sum(protein not in self._keys for protein in self._proteins)
        if unknown > _MAX_UNKNOWN_SHARE * len(self._proteins):
            raise UnusableFile(f"{path.name} has {unknown:,} proteins that the list does not have")
