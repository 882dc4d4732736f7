from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from sandbox.catalogue import Gene
from sandbox.mixing import mix
from sandbox.service import ServedFile, Service

TWICE, NOT_AVAILABLE, NOT_LISTED, NOT_SEEN, FORMER_SYMBOL = 21, 27, 29, 33, 41
"""Places (index modulo 50) of the genes that have two different rows, NA, no row, 0, or a row with
a former symbol if they have one."""


class Descartes(Service):
    """The Descartes atlas' tables of the kidney, which have no header."""

    name = "descartes"
    addresses: ClassVar = {"DESCARTES_FILES_URL": "descartes"}

    def files(self) -> Sequence[ServedFile]:
        """Return the two tables."""
        return (
            ServedFile(
                name="descartes.tpm",
                path="/descartes/tissue_tpm/kidney.csv",
                write=_write_tpm,
                numbers=("2",),
                separator=",",
                header=False,
            ),
            ServedFile(
                name="descartes.percentage",
                path="/descartes/tissue_percentage/kidney.csv",
                write=_write_percentage,
                numbers=("2",),
                separator=",",
                header=False,
            ),
        )


def _write_tpm(path: Path, genes: Sequence[Gene]) -> None:
    _write(path, genes, 1_000_000)


def _write_percentage(path: Path, genes: Sequence[Gene]) -> None:
    _write(path, genes, 1)


def _write(path: Path, genes: Sequence[Gene], most: float) -> None:
    with path.open("w", encoding="utf-8", newline="") as sink:
        for gene in genes:
            sink.writelines(f"{symbol},{value}\n" for symbol, value in _rows(gene, most))


def _rows(gene: Gene, most: float) -> Iterator[tuple[str, str]]:
    place = gene.index % 50
    if place == NOT_LISTED:
        return
    symbol = gene.previous[0] if place == FORMER_SYMBOL and gene.previous else gene.symbol
    share = (1 + mix(3, gene.index) % 1_000_000) / 2_000_000
    value = {NOT_AVAILABLE: "NA", NOT_SEEN: "0"}.get(place, f"{share**3 * most:.15g}")
    yield symbol, value
    if place == TWICE:
        yield symbol, f"{share**3 * most / 2:.15g}"
