import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from app.annotation.sources.answers import Answer, FileRead, Gene
from app.annotation.sources.base import FileSource, WeighedSource
from app.annotation.sources.clinvar import germline
from app.annotation.sources.clinvar.attribution import RequestedGene
from app.annotation.sources.clinvar.data import ClinVarData
from app.annotation.sources.clinvar.declaration import (
    EUTILS,
    FILES,
    INFO,
    TABLE_FILE,
    ClinVarSettings,
    parameters,
)
from app.annotation.sources.clinvar.expected import Expected, read_expected
from app.annotation.sources.clinvar.probes import PROBES, SETTING_PROBES
from app.annotation.sources.clinvar.search import count_variants, searchable
from app.annotation.sources.clinvar.summaries import decode_release
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import BulkFile
from app.annotation.sources.pictures import Bars, Segment, StackedBar
from app.annotation.upstream.bulk_files.digest import sha256
from app.annotation.upstream.bulk_files.lines import UnusableFile
from app.annotation.upstream.errors import BadAnswer

logger = logging.getLogger(__name__)

_EXPECTED_NAME = "gene_specific_summary.txt"
EXPECTED_FILE = f"tab_delimited/{_EXPECTED_NAME}"

_MAX_EXPECTED_BYTES = 16 * 1024**2
"""Maximum size of the file in bytes. It is read into memory and had 1.2 MB in 2021."""


class ClinVar(WeighedSource, FileSource):
    """The number of a gene's variants in ClinVar, by classification.

    A variant is an allele, as in ClinVar's table. Haplotypes, diplotypes and other combinations are
    not counted, because the table does not list them. Variants of more than nine genes are not
    counted either, because the table does not name all of their genes. A gene without any other
    variant is absent.
    """

    info = INFO
    data = ClinVarData
    pictures = (
        StackedBar(
            title="Variants by germline classification",
            segments=(
                Segment("germline.pathogenic", "Pathogenic", "red"),
                Segment(
                    "germline.pathogenic_or_likely_pathogenic",
                    "Pathogenic/Likely pathogenic",
                    "rose",
                ),
                Segment("germline.likely_pathogenic", "Likely pathogenic", "pink"),
                Segment("germline.conflicting", "Conflicting", "purple"),
                Segment("germline.uncertain", "Uncertain significance", "grey"),
                Segment("germline.likely_benign", "Likely benign", "mint"),
                Segment("germline.benign_or_likely_benign", "Benign/Likely benign", "teal"),
                Segment("germline.benign", "Benign", "green"),
                Segment("germline.other", "Other", "faint"),
            ),
        ),
        Bars(title="Variants by molecular consequence", field="molecular_consequence"),
        Bars(title="Variants by review status", field="review_status"),
    )
    service = EUTILS
    file = BulkFile(FILES, (TABLE_FILE,), "app.annotation.sources.clinvar.reader:read")
    beside = (EXPECTED_FILE,)
    probes = PROBES
    setting_probes = SETTING_PROBES

    def __init__(self, connect: Connector) -> None:
        super().__init__(connect)
        settings = connect.settings_as(ClinVarSettings)
        self._eutils = self.upstream(EUTILS, parameters(settings, connect.key(EUTILS)))
        self._release: str | None = None
        self._expected: Expected | None = None
        self._loading = asyncio.Lock()

    @classmethod
    def knows_term(cls, term: str) -> bool:
        """Tell whether this version knows a germline classification."""
        return germline.is_known(term)

    async def release(self) -> str:
        """Return the day of ClinVar's last update."""
        if self._release is None:
            self._release = await self._eutils.request(
                "GET",
                "einfo.fcgi",
                params={"db": "clinvar", "retmode": "json"},
                decode=decode_release,
            )
        return self._release

    async def weights(self, genes: Sequence[Gene]) -> Sequence[int]:
        """Return how many variants each gene is expected to have, at least 1."""
        expected = await self._expect()
        return [max(1, expected.alleles(gene.entrez_id, gene.symbol)) for gene in genes]

    async def annotate(self, genes: Sequence[Gene]) -> list[Answer]:
        """Search for the genes' variants."""
        expected = await self._expect()
        requested = [_requested(gene, expected) for gene in genes]
        counted = await count_variants(self._eutils, requested)
        if counted.received != counted.expected or counted.corrected is not None:
            # ClinVar may have changed between search and pages, or use another symbol for a gene
            requested = counted.corrected or requested
            counted = await count_variants(self._eutils, requested)
        if counted.received != counted.expected:
            raise BadAnswer(f"received {counted.received} of {counted.expected} variants")
        if counted.alleles and not counted.belonging:
            raise BadAnswer(
                f"none of the {counted.alleles} variants belongs to a gene that was asked about"
            )
        searched = [any(map(searchable, want.symbols)) for want in requested]
        awaited = sum(
            expected.alleles(gene.entrez_id, gene.symbol)
            for gene, asked in zip(genes, searched, strict=True)
            if asked
        )
        if awaited and not counted.received:
            raise BadAnswer(_missed(len(genes), awaited))
        return [
            _answer(gene, want, tally.data() if asked else None, expected, counted.left_out[place])
            for place, (gene, want, asked, tally) in enumerate(
                zip(genes, requested, searched, counted.tallies, strict=True)
            )
        ]

    async def bulk(self, genes: Sequence[Gene]) -> AsyncGenerator[list[Answer], None]:
        """Read the table; see :meth:`FileSource.bulk`."""
        expected = await self._expect()
        requested = [_requested(gene, expected) for gene in genes]
        places = iter(zip(genes, requested, strict=True))
        async with aclosing(self.read(requested, of=dict[str, Any] | None)) as lists:
            async for data in lists:
                yield [
                    _answer(gene, want, each, expected)
                    # zip advances data first, so that it does not consume an unpaired gene
                    for each, (gene, want) in zip(data, places)  # noqa: B905
                ]

    async def _expect(self) -> Expected:
        async with self._loading:
            if self._expected is None:
                self._expected = await self._load_expected()
            return self._expected

    async def _load_expected(self) -> Expected:
        try:
            file = await self._files.download(EXPECTED_FILE, limit=_MAX_EXPECTED_BYTES)
            try:
                digest, expected = await asyncio.to_thread(_read_expected, file.path)
            except (UnusableFile, ValueError):
                await file.discard()
                raise
        except (BadAnswer, UnusableFile, ValueError) as error:
            logger.warning(
                "clinvar: %s cannot be used: all genes get the same weight, are searched by their"
                " approved symbols, and cannot be absent: %s",
                EXPECTED_FILE,
                error,
            )
            return Expected()
        self.files.append(FileRead(file, digest, len(expected), expected.with_alleles))
        return expected


def _read_expected(path: Path) -> tuple[str, Expected]:
    return sha256(path), read_expected(path)


def _requested(gene: Gene, expected: Expected) -> RequestedGene:
    return RequestedGene(gene.entrez_id, expected.symbols(gene.entrez_id, gene.symbol))


def _answer(
    gene: Gene,
    requested: RequestedGene,
    data: dict[str, Any] | None,
    expected: Expected,
    left_out: int = 0,
) -> Answer:
    """Make an answer. A gene without variants is unknown if it should or may have some.

    Args:
        gene: the gene.
        requested: the gene with the symbols of the search.
        data: the counts; None if no variant was counted.
        expected: ClinVar's own counts, which may differ, because they are from another day.
        left_out: the number of the gene's variants with too many genes to be counted.
    """
    if data is not None:
        return Answer(gene.id, "found", data)
    reason = None
    if not requested.symbols:
        reason = f"ClinVar calls another gene {gene.symbol!r}, and its name for this one is unknown"
    elif not any(map(searchable, requested.symbols)):
        reason = f"{gene.symbol!r} contains characters that a search cannot contain"
    elif (alleles := expected.alleles(gene.entrez_id, gene.symbol)) > 2 * left_out:
        reason = _missed(1, alleles)
    elif not expected:
        reason = f"ClinVar may use another symbol, but {_EXPECTED_NAME} could not be read"
    return Answer(gene.id, "unknown" if reason else "absent", reason=reason)


def _missed(genes: int, alleles: int) -> str:
    of = "of the gene" if genes == 1 else f"of {genes:,} genes"
    return f"received no variant {of}, but {_EXPECTED_NAME} counts {alleles:,}"
