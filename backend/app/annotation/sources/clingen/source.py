import asyncio
from collections.abc import Sequence
from datetime import timedelta

from app.annotation.sources.answers import FileRead
from app.annotation.sources.base import FileSource
from app.annotation.sources.clingen.data import TONES, ClinGenData
from app.annotation.sources.clingen.reader import (
    DOSAGE_COLUMNS,
    MAX_LINES_BEFORE,
    VALIDITY_COLUMNS,
    is_known,
)
from app.annotation.sources.clingen.release import release_of_rows
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import BulkFile, SourceInfo
from app.annotation.sources.pictures import Verdicts
from app.annotation.sources.probe import HostProbe
from app.annotation.sources.probing import has_columns
from app.annotation.upstream.cache import Download
from app.annotation.upstream.host import Host
from app.annotation.upstream.release import Release

SEARCH = Host(
    name="clingen-search",
    title="ClinGen's search site (gene-disease validity)",
    url="https://search.clinicalgenome.org",
    setting="clingen_search_url",
    rate=1,
    concurrency=1,
)
"""No limit is documented. The file of 1.1 MB is made anew for each request."""

FILES = Host(
    name="clingen-files",
    title="ClinGen's files (dosage sensitivity)",
    url="https://ftp.clinicalgenome.org",
    setting="clingen_files_url",
    rate=1,
    concurrency=1,
)
"""No limit is documented. The file of 0.24 MB is replaced each night."""

VALIDITY = "kb/gene-validity/download"
DOSAGE = "ClinGen_gene_curation_list_GRCh38.tsv"


async def _probe_validity(connect: Connector) -> str:
    return await has_columns(
        connect, SEARCH, VALIDITY, VALIDITY_COLUMNS, separator=",", lines_before=MAX_LINES_BEFORE
    )


async def _probe_dosage(connect: Connector) -> str:
    return await has_columns(connect, FILES, DOSAGE, DOSAGE_COLUMNS, lines_before=MAX_LINES_BEFORE)


class ClinGen(FileSource):
    """ClinGen's curations of a gene: gene-disease validity and dosage sensitivity.

    A gene that is in neither of the two files is absent. The validity file names genes by HGNC id,
    and the dosage file by Entrez id, so a gene without an Entrez id is unknown. Curations of
    chromosomal regions are not read.

    ClinGen generates the validity file for each download and dates it with the day of the download.
    This date is the name of the release. Two releases are compared by a digest of all rows, so an
    unchanged file is not taken for a new release.
    """

    info = SourceInfo(
        name="clingen",
        title="ClinGen",
        licence="CC0",
        licence_url="https://clinicalgenome.org/docs/terms-of-use/",
        attribution="Clinical Genome Resource (ClinGen), clinicalgenome.org",
        hosts=(SEARCH, FILES),
        freshness=timedelta(days=30),
        needs=frozenset({"entrez_id"}),
        gene_page="https://search.clinicalgenome.org/kb/genes/{hgnc_id}",
        # In 2026, 3,600 validity curations had some 2,900 genes, and 1,300 of the 1,600 genes with
        # a dosage curation had a score other than 0.
        min_genes=1_000,
    )
    data = ClinGenData
    pictures = (
        Verdicts(
            title="Validity for each disease",
            field="validity",
            name="disease",
            identifier="disease_id",
            label="classification",
            tones=TONES,
            beside=(
                ("Inheritance", "mode_of_inheritance"),
                ("Panel", "expert_panel"),
                ("Date", "date"),
                ("Report", "report_url"),
            ),
        ),
    )
    file = BulkFile(
        FILES,
        (VALIDITY, DOSAGE),
        "app.annotation.sources.clingen.reader:read",
        elsewhere={VALIDITY: SEARCH},
    )
    probes = (
        HostProbe(
            host=SEARCH,
            title="ClinGen's gene-disease validity file has the columns that are read",
            why="Runs of ClinGen wait for this file, and fail if its columns have changed.",
            ask=_probe_validity,
        ),
        HostProbe(
            host=FILES,
            title="ClinGen's dosage file has the columns that are read",
            why="Runs of ClinGen wait for this file, and fail if its columns have changed.",
            ask=_probe_dosage,
        ),
    )

    def __init__(self, connect: Connector) -> None:
        super().__init__(connect)
        self._release: Release | None = None

    @classmethod
    def knows_term(cls, term: str) -> bool:
        """Tell whether this version knows a classification, a mode of inheritance or a score."""
        return is_known(term)

    async def fetch(self) -> list[Download]:
        """Download both files, and note their release; see :meth:`FileSource.fetch`."""
        downloads = await super().fetch()
        self._release = await asyncio.to_thread(release_of_rows, *downloads)
        return downloads

    async def current_file(self) -> Release:
        """Download both files, and return their release.

        The validity curations have neither an ``ETag`` nor a useful ``Last-Modified``, and their
        rows are not ordered by date. So only the file itself shows whether it has changed.
        """
        await self.fetched()
        assert self._release
        return self._release

    def release_of(self, files: Sequence[FileRead], named: str | None) -> Release:
        """Return the release of the files that :meth:`fetch` returned last."""
        del files, named
        assert self._release
        return self._release
