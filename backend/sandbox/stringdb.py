"""STRING's files: the proteins, their aliases, and the physical links."""

import gzip
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, ClassVar

from sandbox.catalogue import Gene
from sandbox.mixing import mix
from sandbox.service import ServedFile, Service

_VERSION = "v12.0"

#: Of 20 genes, one has no protein, one has a second protein, and one has a protein without links.
_WITHOUT_PROTEIN = 13
_WITH_TWO = 7
_WITHOUT_LINKS = 17
#: One protein of 140 has no name but its Ensembl id.
_WITHOUT_NAME = 139

_STRIDES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987)
"""The distances of a gene's partners in the catalogue, in both directions."""


class StringDb(Service):
    """The downloads of stringdb-downloads.org."""

    name = "string"
    addresses: ClassVar = {"STRING_FILES_URL": "string"}

    def files(self) -> Sequence[ServedFile]:
        """Return the three files."""
        return (
            ServedFile(
                name="string.info",
                path=_path("protein.info"),
                write=_write_info,
                renames="preferred_name",
            ),
            ServedFile(
                name="string.aliases",
                path=_path("protein.aliases"),
                write=_write_aliases,
                renames="source",
            ),
            ServedFile(
                name="string.links",
                path=_path("protein.physical.links"),
                write=_write_links,
                renames="combined_score",
                numbers=("combined_score",),
                separator=" ",
            ),
        )


def _path(kind: str) -> str:
    return f"/string/{kind}.{_VERSION}/9606.{kind}.{_VERSION}.txt.gz"


@contextmanager
def _packed(path: Path) -> Iterator[IO[str]]:
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=1, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as sink,
    ):
        yield sink


def _proteins(gene: Gene) -> Sequence[str]:
    if gene.index % 20 == _WITHOUT_PROTEIN:
        return ()
    number = int(gene.ensembl_id.removeprefix("ENSG"))
    first = f"9606.ENSP{number:011d}"
    return (first, f"9606.ENSP{number + 50_000_000_000:011d}") if _has_two(gene) else (first,)


def _has_two(gene: Gene) -> bool:
    return gene.index % 20 == _WITH_TWO


def _write_info(path: Path, genes: Sequence[Gene]) -> None:
    with _packed(path) as sink:
        sink.write("#string_protein_id\tpreferred_name\tprotein_size\tannotation\n")
        for gene in genes:
            for protein in _proteins(gene):
                nameless = gene.index % 140 == _WITHOUT_NAME
                name = protein.removeprefix("9606.") if nameless else gene.symbol
                size = 100 + mix(51, gene.index) % 3_000
                sink.write(f'{protein}\t{name}\t{size}\t{gene.name}; Made up, with a "quote".\n')


def _write_aliases(path: Path, genes: Sequence[Gene]) -> None:
    with _packed(path) as sink:
        sink.write("#string_protein_id\talias\tsource\n")
        for gene in genes:
            for protein in _proteins(gene):
                for alias, source in (
                    (gene.ensembl_id, "Ensembl_gene"),
                    (gene.symbol, "Ensembl_HGNC_symbol"),
                    (gene.hgnc_id, "Ensembl_HGNC_hgnc_id"),
                    (gene.hgnc_id.removeprefix("HGNC:"), "Ensembl_HGNC"),
                    *((other, "Ensembl_HGNC_alias_symbol") for other in gene.aliases),
                ):
                    sink.write(f"{protein}\t{alias}\t{source}\n")


def _write_links(path: Path, genes: Sequence[Gene]) -> None:
    linked = [gene for gene in genes if _proteins(gene) and gene.index % 20 != _WITHOUT_LINKS]
    with _packed(path) as sink:
        sink.write("protein1 protein2 combined_score\n")
        for place, gene in enumerate(linked):
            for protein in _proteins(gene):
                for other, score in _partners(linked, place):
                    for partner in _proteins(other):
                        sink.write(f"{protein} {partner} {_of_pair(score, protein, partner)}\n")


def _partners(genes: Sequence[Gene], place: int) -> Iterator[tuple[Gene, int]]:
    """Yield each partner of a gene, with a score that is equal in both directions."""
    for stride in _STRIDES:
        for other in (place - stride, place + stride):
            if 0 <= other < len(genes):
                low, high = sorted((genes[place].index, genes[other].index))
                yield genes[other], 150 + mix(low + 52, high) % 800


def _of_pair(score: int, *proteins: str) -> int:
    """Return a lower score for second proteins, so that a reader must find the best one."""
    return score - 50 * sum(protein[9] == "5" for protein in proteins)
