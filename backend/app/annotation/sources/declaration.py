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
        name: as operators write it: "clinvar".
        title: as people read it: "ClinVar".
        licence: of its data.
        licence_url: the page that states the licence.
        attribution: how the source wants to be named where its data are used.
        hosts: the services that it asks. Their addresses and rates become settings.
        freshness: how long an answer stays good.
        needs: columns of ``genes`` that the source asks by, and that another source fills.
        provides: columns of ``genes`` that its answers fill.
        gene_page: the address of the source's own page of a gene, with `{symbol}`, `{hgnc_id}`,
            `{ensembl_gene_id}` or `{entrez_id}` in it; empty if it has none.
        settings: a class with further settings, or None.
        bulk_threshold: of a source with both abilities: with more due genes than this, the file is
            read. It becomes the setting ``<NAME>_BULK_THRESHOLD``.
        batch_size: the most genes that ``annotate`` is given.
        batch_weight: the most weight of a batch of several genes; None means that weights do not
            matter.
        concurrency: the number of batches in flight at a time.
        parser: the version of what the source makes of an answer. Increase it when the same answer
            gives other data, so that all genes are refreshed.
        least_genes: the fewest genes that a complete file of the public service has something for.
            A first file with fewer is not accepted.
        off_by_default: whether the source is in the default of ``DISABLED_SOURCES``, so that a run
            of all sources leaves it out.
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
    least_genes: int = 0
    off_by_default: bool = False

    @property
    def threshold_setting(self) -> str:
        """The name of the setting that replaces ``bulk_threshold``."""
        return f"{self.name}_bulk_threshold"


@dataclass(frozen=True, slots=True)
class BulkFile:
    """The file, or the files, that hold a source's answers for all genes.

    Args:
        host: that has them.
        paths: below the host's address.
        reader: ``module:function``. A process of its own calls it as ``reader(asked, *files)``; see
            :mod:`app.annotation.upstream.bulk_files`.
        release: that the paths name; None if they name none.
        elsewhere: the hosts of the paths that another host has.
        watched: the paths whose changes are new releases; by default the first one. Name several
            if the upstream replaces its files independently of each other. Each takes a request.
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
