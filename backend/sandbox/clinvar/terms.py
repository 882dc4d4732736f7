import re
from typing import NamedTuple

_OR = re.compile(r"\s+OR\s+")
_CLAUSE = re.compile(r'^"?([^"\[\]()]+?)"?\s*\[\s*"?([A-Za-z ]+?)"?\s*\]$')
_GENE_FIELDS = {"gene", "gene name", "gene symbol", "sym"}
_ID_FIELDS = {"geneid", "gene id", "gid"}


class Clause(NamedTuple):
    """`value[field]` of a search term, e.g. `PKD1[gene]`; `by_id` when the value is a GeneID."""

    text: str
    field: str
    value: str
    by_id: bool


class UnsupportedTerm(ValueError):
    """A term that the sandbox cannot evaluate, because it is not a list of genes joined by OR."""


def parse(term: str) -> list[Clause]:
    """Parse a search term: genes by symbol or GeneID, joined by OR, with or without parentheses.

    Raises:
        UnsupportedTerm: the term has another form.
    """
    clauses = []
    for part in _OR.split(term.strip()):
        text = part.strip().strip("()").strip()
        match = _CLAUSE.match(text)
        field = match[2].lower() if match else ""
        if match is None or field not in _GENE_FIELDS | _ID_FIELDS:
            raise UnsupportedTerm(text)
        clauses.append(Clause(text, match[2], match[1].strip(), field in _ID_FIELDS))
    return clauses
