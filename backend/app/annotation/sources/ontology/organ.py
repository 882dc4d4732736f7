"""The organ terms of a setting, and the reason for a lost term; shared by phenotype sources."""


def organ_terms(setting: str) -> list[str]:
    """Return the terms that a setting lists, sorted and unique."""
    return sorted({term.strip() for term in setting.split(",")})


def is_lost(term: str) -> str:
    """Return the reason that a gene with a lost term is unknown."""
    return f"the gene has the term {term}, which the ontology does not define"
