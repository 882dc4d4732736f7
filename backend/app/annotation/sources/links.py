"""Web addresses of identifiers in their databases.

An address is made only from an identifier in the form of its database, so that stored text cannot
inject an address.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

_NCBI = "https://www.ncbi.nlm.nih.gov"
_OMIM = "https://omim.org/entry/{}"
_JAX = "https://www.informatics.jax.org"
_UNIPROT = "https://www.uniprot.org/uniprotkb/{}"
_ARTICLE = "https://pubmed.ncbi.nlm.nih.gov/{}/"
_ACCESSION = r"([OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9](?:[A-Z][A-Z0-9]{2}[0-9]){1,2})"
"""See https://www.uniprot.org/help/accession_numbers."""

_PROTEIN = (r"(9606\.ENSP[0-9]{11})", "https://string-db.org/network/{}")

_BY_FORM = tuple(
    (re.compile(form, re.ASCII), address)
    for form, address in (
        (r"(HGNC:[0-9]{1,9})", "https://www.genenames.org/data/gene-symbol-report/#!/hgnc_id/{}"),
        (r"(ENS[GT][0-9]{11}(?:\.[0-9]{1,4})?)", "https://www.ensembl.org/id/{}"),
        (r"(N[MRP]_[0-9]{6,9}(?:\.[0-9]{1,4})?)", _NCBI + "/nuccore/{}"),
        (r"OMIM:([0-9]{6})", _OMIM),
        (r"ORPHA:([0-9]{1,9})", "https://www.orpha.net/en/disease/detail/{}"),
        (r"(MONDO:[0-9]{7})", "https://monarchinitiative.org/{}"),
        (r"(HP:[0-9]{7})", "https://hpo.jax.org/browse/term/{}"),
        (r"(MP:[0-9]{7})", _JAX + "/vocab/mp_ontology/{}"),
        (r"(MGI:[0-9]{1,9})", _JAX + "/marker/{}"),
        _PROTEIN,
    )
)
"""Identifiers whose form identifies their database."""

_BY_FIELD = {
    field: (re.compile(form, re.ASCII), address)
    for field, form, address in (
        ("entrez_id", r"([0-9]{1,10})", _NCBI + "/gene/{}"),
        ("omim_id", r"([0-9]{6})", _OMIM),
        ("uniprot_ids", _ACCESSION, _UNIPROT),
        ("accession", _ACCESSION, _UNIPROT),
        ("pmids", r"([0-9]{1,9})", _ARTICLE),
        ("newest_pmids", r"([0-9]{1,9})", _ARTICLE),
        ("report_url", r"(https://[a-z0-9.-]+/[\w./?=&%:#~+-]*)", "{}"),
    )
}
"""Identifiers whose database only the field's name tells."""


def address_of(value: Any, field: str = "") -> str:
    """Return the web address of an identifier; empty if the value is not an identifier.

    Args:
        value: a value that may be an identifier.
        field: the name of its field, or of its column of ``genes``.
    """
    text = str(value) if type(value) is int else value
    # a fast check first: most values are words, and these identifiers end with a digit
    if not isinstance(text, str) or not (text[-1:].isdigit() or field in _BY_FIELD):
        return ""
    forms = (_BY_FIELD[field],) if field in _BY_FIELD else _BY_FORM
    for form, address in forms:
        if found := form.fullmatch(text):
            return address.format(found[1])
    return ""


def gene_page(template: str, gene: Mapping[str, str | None]) -> str:
    """Return the address of a source's page of a gene; empty if the gene lacks an identifier.

    Args:
        template: the address, with the names of columns of genes in braces.
        gene: the values of these columns.
    """
    known = {name: quote(value, safe=":") for name, value in gene.items() if value}
    try:
        return template.format_map(known)
    except KeyError:
        return ""
