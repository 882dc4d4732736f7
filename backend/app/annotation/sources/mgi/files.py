"""Reads MGI's reports, which have no header.

Their fields are described at https://www.informatics.jax.org/downloads/reports/index.html. Older
layouts have other fields, so each field is compared with what it should look like.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from app.annotation.sources.keyed import ENTREZ_ID
from app.annotation.upstream.bulk_files.lines import UnusableFile
from app.annotation.upstream.bulk_files.tables import read_rows

_ORTHOLOG_FIELDS = 6
_GENOTYPE_FIELDS = 8
_MARKER = re.compile(r"MGI:\d+", re.ASCII)
_MARKERS = re.compile(r"MGI:\d+(?:[|,] ?MGI:\d+)*", re.ASCII)
_TERM = re.compile(r"MP:\d{7}", re.ASCII)
_TERMS = re.compile(r"(?:MP:\d{7}(?:, MP:\d{7})*)?", re.ASCII)
_ARTICLES = re.compile(r"(?:\d+(?:[|,] ?\d+)*)?", re.ASCII)
_SEPARATOR = re.compile(r"[|,] ?")


class OrthologRow(NamedTuple):
    """A row of `HMD_HumanPhenotype.rpt`: a human gene, a mouse gene, and the topmost terms."""

    gene: str
    marker: str
    symbol: str
    terms: tuple[str, ...]


def read_orthologs(path: Path) -> Iterator[OrthologRow]:
    """Yield the rows of `HMD_HumanPhenotype.rpt` in the layout of 2026.

    The fields are the human symbol, the Entrez id, the mouse symbol, the MGI id, and the terms. A
    tab follows the last one.

    Raises:
        UnusableFile: a row has another layout.
    """
    for number, values in read_rows(path):
        row = ortholog_row(values)
        if row is None:
            raise _strange(path, number, values)
        yield row


def ortholog_row(values: Sequence[str]) -> OrthologRow | None:
    """Return the row that these fields are; None if they are of another layout."""
    if len(values) != _ORTHOLOG_FIELDS:
        return None
    human, gene, symbol, marker, terms, rest = values
    if (
        not human
        or not symbol
        or rest
        or not ENTREZ_ID.fullmatch(gene)
        or not _MARKER.fullmatch(marker)
        or not _TERMS.fullmatch(terms)
    ):
        return None
    return OrthologRow(gene, marker, symbol, tuple(terms.split(", ")) if terms else ())


def read_genotypes(path: Path) -> Iterator[tuple[str, str | None]]:
    """Yield for each row of `MGI_GenePheno.rpt` the term, and the mutated gene if it is one only.

    The fields are the allelic composition, the alleles' symbols and ids, the genetic background,
    the term, the articles, the mutated genes, and the genotype.

    Raises:
        UnusableFile: a row has another layout.
    """
    # the file repeats them often
    terms: set[str] = set()
    single: dict[str, str | None] = {}
    for number, values in read_rows(path):
        if len(values) != _GENOTYPE_FIELDS:
            raise _strange(path, number, values)
        term, articles, markers, genotype = values[4:]
        if term not in terms and _TERM.fullmatch(term):
            terms.add(term)
        if markers not in single and _MARKERS.fullmatch(markers):
            several = set(_SEPARATOR.split(markers))
            single[markers] = several.pop() if len(several) == 1 else None
        if (
            term not in terms
            or markers not in single
            or not _ARTICLES.fullmatch(articles)
            or not _MARKERS.fullmatch(genotype)
        ):
            raise _strange(path, number, values)
        yield term, single[markers]


def _strange(path: Path, number: int, values: tuple[str, ...]) -> UnusableFile:
    return UnusableFile(f"{path.name}, line {number} has another layout: {values}"[:200])
