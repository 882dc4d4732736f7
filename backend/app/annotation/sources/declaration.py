"""What a source declares about itself and its files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from app.annotation.upstream.host import Host

if TYPE_CHECKING:
    from app.annotation.upstream.settings import UpstreamSettings


@dataclass(frozen=True, kw_only=True)
class SourceInfo:
    """The declaration of a source.

    Args:
        name: the name that operators type: "clinvar".
        title: the name for people: "ClinVar".
        licence: the licence of its data.
        licence_url: the page that states the licence.
        attribution: the attribution that the source asks for where its data are used.
        hosts: the services that the source asks. Their addresses and rates become settings.
        freshness: how long an answer stays fresh.
        needs: the columns of ``genes`` that the source asks by and another source fills.
        provides: the columns of ``genes`` that its answers fill.
        gene_page: the address of the source's own page of a gene, with `{symbol}`, `{hgnc_id}`,
            `{ensembl_gene_id}` or `{entrez_id}` in it; empty if it has none.
        settings: the class of further settings, or None.
        bulk_threshold: the number of due genes above which a source with a service and a file reads
            the file. It becomes the setting ``<NAME>_BULK_THRESHOLD``.
        batch_size: the maximum number of genes in a batch.
        batch_weight: the maximum weight of a batch of several genes; None means no limit.
        concurrency: the maximum number of concurrent batches.
        parser: the version of the parser. Increase it if the same answer now gives other data, so
            that all genes are refreshed.
        min_genes: the minimum number of genes with data in a complete file of the public service.
            A first file with fewer is held.
        off_by_default: whether the default of ``DISABLED_SOURCES`` contains the source, so that a
            run of all sources omits it.
    """

    name: str
    title: str
    licence: str
    licence_url: str
    attribution: str
    hosts: tuple[Host, ...]
    freshness: timedelta
    needs: frozenset[str] = frozenset()
    provides: frozenset[str] = frozenset()
    gene_page: str = ""
    settings: "type[UpstreamSettings] | None" = None
    bulk_threshold: int | None = None
    batch_size: int = 1
    batch_weight: int | None = None
    concurrency: int = 1
    parser: int = 1
    min_genes: int = 0
    off_by_default: bool = False

    @property
    def threshold_setting(self) -> str:
        """The name of the setting that replaces ``bulk_threshold``."""
        return f"{self.name}_bulk_threshold"


@dataclass(frozen=True, slots=True)
class BulkFile:
    """The file or files that contain a source's data of all genes.

    Args:
        host: the host of the files.
        paths: the paths below the host's address.
        reader: ``module:function``. A child process calls it as ``reader(request, *files)``; see
            :mod:`app.annotation.upstream.bulk_files`.
        release: the release that the paths name; None if they name none.
        elsewhere: the hosts of the paths that are not on ``host``.
        watched: the paths whose changes are new releases; by default the first one. List several if
            the upstream replaces its files independently. Each takes a request.
    """

    host: Host
    paths: tuple[str, ...]
    reader: str
    release: str | None = None
    elsewhere: Mapping[str, Host] = field(default_factory=dict)
    watched: tuple[str, ...] = ()

    @property
    def watches(self) -> tuple[str, ...]:
        """The paths whose changes are new releases."""
        return self.watched or self.paths[:1]

    def host_of(self, path: str) -> Host:
        """Return the host that has a path."""
        return self.elsewhere.get(path, self.host)
