"""What the sources of phenotypes share: the terms of the organ, and what a lost term means."""


def organ_terms(setting: str) -> list[str]:
    """Return the terms that a setting lists, sorted and unique."""
    return sorted({term.strip() for term in setting.split(",")})


def is_lost(term: str) -> str:
    """Return why a gene is unknown whose term the ontology does not have any more."""
    return f"the ontology does not tell what {term} is, and the gene has this term"
