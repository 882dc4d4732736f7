"""Reads the two tables of HPO: which diseases there are, and which terms a gene has.

The columns are described at https://obophenotype.github.io/human-phenotype-ontology/annotations/.
"""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from app.annotation.upstream.bulk_files.lines import UnusableFile, lines
from app.annotation.upstream.bulk_files.tables import MAX_LINE_BYTES, read_rows, read_table

DISEASE_COLUMNS = ("database_id", "disease_name", "qualifier", "hpo_id", "aspect")
GENE_COLUMNS = ("ncbi_gene_id", "hpo_id", "frequency", "disease_id")

MAX_LINES_BEFORE = 20
"""The most lines before the header of `phenotype.hpoa`. It has had four since 2021."""

INHERITANCE = "I"
"""The aspect of a row that states a mode of inheritance."""

_ASPECTS = frozenset("PICMH")
_OLD_HEADER = "#Format: entrez-gene-id<tab>"
_OLD_FIELDS = 9
_GENE = re.compile(r"(?:NCBIGene:)?([1-9]\d{0,9})", re.ASCII)
_TERM = re.compile(r"HP:\d{7}", re.ASCII)
_DISEASE = re.compile(r"[A-Z]\w*:\w+", re.ASCII)
_FREQUENCY = re.compile(r"\d+/\d+|\d+(?:\.\d+)?%|HP:00402\d\d", re.ASCII)
_NEVER = re.compile(r"0+/\d+|0+(?:\.0+)?%|HP:0040285", re.ASCII)
_NO_FREQUENCY = frozenset({"", "-", "null"})
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Version(NamedTuple):
    """What `phenotype.hpoa` says about itself.

    Attributes:
        name: the name of the release.
        ontology: the release of the ontology that its terms are from.
    """

    name: str
    ontology: str


class Disease(msgspec.Struct, gc=False):
    """A disease as `phenotype.hpoa` describes it."""

    name: str
    inheritance: set[str]


class Annotation(NamedTuple):
    """A row of `genes_to_phenotype.txt`."""

    gene: str
    term: str
    disease: str
    frequency: str | None


def is_never(frequency: str) -> bool:
    """Tell whether a frequency says that no patient with the disease has the term."""
    return _NEVER.fullmatch(frequency) is not None


def read_version(path: Path) -> Version:
    """Read the lines before the header of `phenotype.hpoa`.

    Raises:
        UnusableFile: they do not state the version and that of the ontology.
    """
    found: dict[str, str] = {}
    first_lines = lines(path, max_line=MAX_LINE_BYTES, max_size=1 << 20)
    for line in islice(first_lines, MAX_LINES_BEFORE):
        if not line.startswith("#"):
            break
        name, _, value = line.removeprefix("#").partition(":")
        if day := _DAY.search(value):
            found[name.strip().lower()] = day[0]
    if missing := [name for name in ("version", "hpo-version") if name not in found]:
        raise UnusableFile(f"{path.name} does not state its {' and '.join(missing)}")
    return Version(found["version"], found["hpo-version"])


def read_diseases(path: Path) -> tuple[dict[str, Disease], int]:
    """Return the diseases of `phenotype.hpoa` by id, and the number of its rows.

    Raises:
        UnusableFile: a column is missing, or a row cannot be understood.
    """
    found: dict[str, Disease] = {}
    rows = 0
    for number, values in read_table(path, DISEASE_COLUMNS, lines_before=MAX_LINES_BEFORE):
        rows += 1
        key, name, qualifier, term, aspect = values
        if (
            not name
            or aspect not in _ASPECTS
            or qualifier not in {"", "NOT"}
            or not _DISEASE.fullmatch(key)
            or not _TERM.fullmatch(term)
        ):
            raise UnusableFile(f"{path.name}, line {number} is not an annotation: {values}"[:200])
        disease = found.get(key)
        if disease is None:
            disease = found[key] = Disease(name, set())
        if aspect == INHERITANCE and not qualifier:
            disease.inheritance.add(term)
    return found, rows


def read_annotations(path: Path) -> Iterator[Annotation]:
    """Yield the rows of `genes_to_phenotype.txt`, in its present layout or in the one until 2022.

    Raises:
        UnusableFile: a column is missing, or a row cannot be understood.
    """
    for number, (gene, term, disease, *frequencies) in _gene_rows(path):
        key = _GENE.fullmatch(gene)
        stated = [frequency for frequency in frequencies if frequency not in _NO_FREQUENCY]
        if (
            key is None
            or not _TERM.fullmatch(term)
            or not _DISEASE.fullmatch(disease)
            or not all(map(_FREQUENCY.fullmatch, stated))
        ):
            shown = (gene, term, disease, *frequencies)
            raise UnusableFile(f"{path.name}, line {number} is not an annotation: {shown}"[:200])
        yield Annotation(key[1], term, disease, stated[0] if stated else None)


def _gene_rows(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the number of each line with the gene, term, disease and frequencies."""
    rows = read_rows(path, ended=True)
    first = next(rows, None)
    if first is None or not first.values[0].startswith(_OLD_HEADER):
        for number, (gene, term, frequency, disease) in read_table(path, GENE_COLUMNS, ended=True):
            yield number, (gene, term, disease, frequency)
        return
    # the header of this layout is no row, and names the columns of the term in the wrong order
    for number, values in rows:
        if len(values) != _OLD_FIELDS:
            raise UnusableFile(f"{path.name}, line {number}: {len(values)} of {_OLD_FIELDS} fields")
        yield number, (values[0], values[2], values[8], values[4], values[5])
