"""The registry of imitated services."""

from sandbox.clingen import ClinGen
from sandbox.clinvar import ClinVar
from sandbox.descartes import Descartes
from sandbox.ensembl import Ensembl
from sandbox.gencc import Gencc
from sandbox.gnomad import Gnomad
from sandbox.gtex import Gtex
from sandbox.hgnc import Hgnc
from sandbox.hpo import Hpo
from sandbox.mgi import Mgi
from sandbox.options import Options
from sandbox.orphanet import Orphanet
from sandbox.panelapp import PanelApp
from sandbox.pubmed import PubMed
from sandbox.service import Service
from sandbox.stringdb import StringDb
from sandbox.uniprot import UniProt

SERVICES: tuple[type[Service], ...] = (
    Hgnc,
    Ensembl,
    ClinVar,
    Gnomad,
    ClinGen,
    Gencc,
    PanelApp,
    Orphanet,
    Hpo,
    Mgi,
    UniProt,
    StringDb,
    Gtex,
    Descartes,
    PubMed,
)

UNLIMITED_RATE = 10_000
"""The rate in the settings if the sandbox has no limits."""

_WITH_KEY = "_with_key"

_ALL_GENES = 100_000
"""With this many genes, each file has at least as many genes as the real one."""


def real_rates() -> dict[str, float]:
    """Return the requests a second of the real services, by budget."""
    return {budget: rate for service in SERVICES for budget, rate in service.rates.items()}


def allowed_rates(options: Options) -> dict[str, float | None]:
    """Return the requests a second by budget; None means no limit.

    A given rate applies to requests with and without a key.
    """
    allowed: dict[str, float | None] = {}
    for budget, rate in real_rates().items():
        given = options.rates.get(budget, options.rates.get(budget.removesuffix(_WITH_KEY)))
        allowed[budget] = given or (rate if options.limits == "real" else None)
    return allowed


def settings(url: str, options: Options, genes: int) -> dict[str, str]:
    """Return the settings that point the project at a sandbox, by environment variable.

    Args:
        url: the URL of the sandbox.
        options: the options of the sandbox.
        genes: the number of genes of the sandbox.
    """
    found = {
        name: f"{url}/{path}" for service in SERVICES for name, path in service.addresses.items()
    }
    rates, real = allowed_rates(options), real_rates()
    for service in SERVICES:
        for name, budget in service.rate_settings.items():
            if rates[budget] != real[budget]:
                found[name] = f"{rates[budget] or UNLIMITED_RATE:g}"
    found["COMPLETE_SHARE"] = f"{min(1, genes / _ALL_GENES):g}"
    return found
