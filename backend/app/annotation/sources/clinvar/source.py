import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, ClassVar

from app.annotation.sources.base import Answer, Connector, FileRead, Gene, SourceInfo
from app.annotation.sources.clinvar.attribution import WantedGene
from app.annotation.sources.clinvar.declaration import EUTILS, FILES, INFO, TOOL
from app.annotation.sources.clinvar.expected import Expected, read_expected
from app.annotation.sources.clinvar.search import count_variants, searchable
from app.annotation.sources.clinvar.summaries import decode_release
from app.annotation.sources.fetched import read_fetched
from app.annotation.upstream import BadAnswer
from app.annotation.upstream.bulk_files.digest import sha256
from app.annotation.upstream.bulk_files.lines import UnusableFile

logger = logging.getLogger(__name__)

_EXPECTED_NAME = "gene_specific_summary.txt"
EXPECTED_FILE = f"tab_delimited/{_EXPECTED_NAME}"
COUNT = "app.annotation.sources.clinvar.table:read"
TABLE_FILE = "tab_delimited/variant_summary.txt.gz"

_LONGEST_EXPECTED = 16 * 1024**2
"""Bytes; it is read into memory, and had 1.2 MB in 2021."""


class ClinVar:
    """Counts each gene's variants by what ClinVar says of them.

    ``data``: ``variants``, ``single_gene`` and ``multi_gene`` (what it is made up of),
    ``germline`` by class (see :func:`~.germline.germline_class`), ``review_status``,
    ``molecular_consequence`` (derived: see :mod:`.consequence`), ``oncogenicity``,
    ``clinical_impact``, ``unknown_terms`` (germline classifications that are not known here), and
    ``last_evaluated``, the newest date of the three classifications.

    The variants are alleles, as ClinVar's table lists them: haplotypes, diplotypes and other
    combinations, which only the API has, are left out, and so are variants of more than
    :data:`~.attribution.MOST_GENES` genes, of which the table does not name all.
    """

    info: ClassVar[SourceInfo] = INFO

    def __init__(self, connect: Connector) -> None:
        settings = connect.settings
        key = settings.ncbi_api_key.get_secret_value() if settings.ncbi_api_key else None
        identity = {"tool": TOOL, "email": settings.ncbi_email, "api_key": key}
        self._eutils = connect.upstream(
            EUTILS,
            settings.ncbi_eutils_url,
            rate=settings.ncbi_rate,
            key=key,
            params={name: value for name, value in identity.items() if value},
        )
        self._files = connect.upstream(FILES, settings.clinvar_files_url)
        self._release: str | None = None
        self._expected: Expected | None = None
        self._loading = asyncio.Lock()
        self._read: list[FileRead] = []
        self._from_file = False

    @property
    def requests(self) -> int:
        """Upstream requests sent so far by this object."""
        return self._eutils.requests + self._files.requests

    @property
    def files(self) -> Sequence[FileRead]:
        """The expected counts once they are asked for, and the table once ``bulk`` has read it."""
        return self._read

    async def release(self) -> str:
        """Return the day of the table once it is read, ClinVar's last update otherwise."""
        if self._release is None:
            found = await self._eutils.request(
                "GET",
                "einfo.fcgi",
                params={"db": "clinvar", "retmode": "json"},
                decode=decode_release,
            )
            self._release = self._release or found
        return self._release or "unknown"

    async def weights(self, genes: Sequence[Gene]) -> Sequence[int]:
        """Return how many variants each gene is expected to have, at least 1."""
        expected = await self._expect()
        return [max(1, expected.alleles(gene.entrez_id, gene.symbol)) for gene in genes]

    async def annotate(self, genes: Sequence[Gene]) -> list[Answer]:
        """Search for the genes' variants; see :class:`~app.annotation.sources.base.Source`."""
        if self._from_file:
            self._release, self._from_file = None, False
        expected = await self._expect()
        wanted = [_wanted(gene, expected) for gene in genes]
        counted = await count_variants(self._eutils, wanted)
        if counted.received != counted.expected or counted.corrected is not None:
            # ClinVar may have changed between search and pages, or calls a gene otherwise
            wanted = counted.corrected or wanted
            counted = await count_variants(self._eutils, wanted)
        if counted.received != counted.expected:
            raise BadAnswer(f"received {counted.received} of {counted.expected} variants")
        if counted.alleles and not counted.belonging:
            raise BadAnswer(
                f"none of the {counted.alleles} variants belongs to a gene that was asked about"
            )
        searched = [any(map(searchable, want.symbols)) for want in wanted]
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
                zip(genes, wanted, searched, counted.tallies, strict=True)
            )
        ]

    async def bulk(self, genes: AsyncIterator[Gene]) -> AsyncGenerator[list[Answer], None]:
        """Read the table; see :class:`~app.annotation.sources.base.Source`."""
        listed = [gene async for gene in genes]
        expected = await self._expect()
        wanted = [_wanted(gene, expected) for gene in listed]
        places = iter(zip(listed, wanted, strict=True))
        read: list[FileRead] = []
        counting = read_fetched(
            self._files, TABLE_FILE, COUNT, wanted, of=dict[str, Any] | None, read=read
        )
        async with aclosing(counting) as lists:
            async for data in lists:
                yield [
                    _answer(gene, want, each, expected)
                    # zip takes from data first: it must not use up a gene that it cannot pair
                    for each, (gene, want) in zip(data, places)  # noqa: B905
                ]
        self._read += read
        self._release, self._from_file = read[0].release, True

    async def _expect(self) -> Expected:
        async with self._loading:
            if self._expected is None:
                self._expected = await self._load_expected()
            return self._expected

    async def _load_expected(self) -> Expected:
        try:
            file = await self._files.download(EXPECTED_FILE, limit=_LONGEST_EXPECTED)
            try:
                digest, expected = await asyncio.to_thread(_read_expected, file.path)
            except (UnusableFile, ValueError):
                await asyncio.to_thread(file.path.unlink, missing_ok=True)
                raise
        except (BadAnswer, UnusableFile, ValueError) as error:
            logger.warning(
                "clinvar: without %s all genes weigh the same and go by their approved symbols,"
                " and none can be absent: %s",
                EXPECTED_FILE,
                error,
            )
            return Expected()
        self._read.append(FileRead(file.path, file.release, digest, len(expected), len(expected)))
        return expected


def _read_expected(path: Path) -> tuple[str, Expected]:
    return sha256(path), read_expected(path)


def _wanted(gene: Gene, expected: Expected) -> WantedGene:
    return WantedGene(gene.entrez_id, expected.symbols(gene.entrez_id, gene.symbol))


def _answer(
    gene: Gene,
    wanted: WantedGene,
    data: dict[str, Any] | None,
    expected: Expected,
    left_out: int = 0,
) -> Answer:
    """Make an answer; where there must or may be variants, none of them is no answer.

    Args:
        gene: that was asked about.
        wanted: the gene, by the symbols it was looked for.
        data: None when no variant of it was counted.
        expected: what ClinVar says of it; it is of another day, so no exact number.
        left_out: variants of it that came, and are not counted because they have too many genes.
    """
    if data is not None:
        return Answer(gene.id, "found", data)
    reason = None
    if not wanted.symbols:
        reason = f"ClinVar calls another gene {gene.symbol!r}, and does not say what it calls this"
    elif not any(map(searchable, wanted.symbols)):
        reason = f"{gene.symbol!r} cannot be searched for"
    elif (alleles := expected.alleles(gene.entrez_id, gene.symbol)) > 2 * left_out:
        reason = _missed(1, alleles)
    elif not expected:
        reason = f"ClinVar may call it otherwise, and {_EXPECTED_NAME} could not be read"
    return Answer(gene.id, "unknown" if reason else "absent", reason=reason)


def _missed(genes: int, alleles: int) -> str:
    of = "of the gene" if genes == 1 else f"of {genes:,} genes"
    return f"no variant {of} came, and {_EXPECTED_NAME} counts {alleles:,}"
