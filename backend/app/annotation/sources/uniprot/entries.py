"""Reads UniProt's entries as TSV: the format of each column.

The columns and the formats are those of https://www.uniprot.org/help/return_fields and of recorded
answers. A comment begins with its topic (``FUNCTION: ``), an entry's comments of one topic are
joined by a semicolon, and evidence stands in braces (``{ECO:0000269|PubMed:10862767}``).
"""

import re

from app.annotation.sources.uniprot.data import (
    MAX_DISEASE_CHARS,
    MAX_FUNCTION_CHARS,
    Disease,
    Domain,
    Protein,
)
from app.annotation.upstream.bulk_files.lines import UnusableFile

FIELDS = {
    "accession": "Entry",
    "id": "Entry Name",
    "protein_name": "Protein names",
    "gene_names": "Gene Names",
    "cc_function": "Function [CC]",
    "ft_domain": "Domain [FT]",
    "cc_subcellular_location": "Subcellular location [CC]",
    "cc_disease": "Involvement in disease",
    "length": "Length",
    "xref_hgnc": "HGNC",
    "reviewed": "Reviewed",
}
"""The fields that are asked for, with the names of their columns.

The last one is the same in every row, so that a body cut off in its last line is recognized.
"""

COLUMNS = tuple(FIELDS.values())

_ACCESSION = re.compile(
    # https://www.uniprot.org/help/accession_numbers
    r"[OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9](?:[A-Z][A-Z0-9]{2}[0-9]){1,2}"
)
_LENGTH = re.compile(r"[1-9][0-9]{0,5}")
_HGNC_IDS = re.compile(r"(?:HGNC:[0-9]+;)*")
_REVIEWED = re.compile("reviewed")
_STRICT = ((0, _ACCESSION), (-3, _LENGTH), (-2, _HGNC_IDS), (-1, _REVIEWED))

_TEXT_EVIDENCE = re.compile(r" ?\{ECO:[^{}]*\}\.?")
_EVIDENCE = re.compile(r" ?\{ECO:[^{}]*\}")
_DOMAIN = re.compile(
    r'DOMAIN (?P<place>[^;"]+)(?P<rest>(?:; /[a-z_]+="(?:[^"]|"")*")*)(?:; |;?$)', re.ASCII
)
_NOTE = re.compile(r'/note="((?:[^"]|"")*)"')
_PLACE = re.compile(r"[0-9]+", re.ASCII)
_ANY_PLACE = re.compile(r"(?:[^:]+:)?([0-9<>?]+)(?:\.\.([0-9<>?]+))?", re.ASCII)
_MOLECULE = re.compile(r"^\[[^\]]+\]: ")
_DISEASE = re.compile(r"(?P<name>.+?) \((?P<short>[^()]+)\) \[MIM:(?P<mim>[0-9]+)\]: (?P<text>.*)")


def is_entry(values: tuple[str, ...]) -> bool:
    """Tell whether the columns with a strict form have it."""
    return all(form.fullmatch(values[place]) for place, form in _STRICT)


def read_entry(values: tuple[str, ...]) -> Protein:
    """Return an entry.

    Args:
        values: the values of :data:`COLUMNS`.

    Raises:
        UnusableFile: a column has another form.
    """
    if not is_entry(values):
        raise UnusableFile(f"not an entry of UniProt: {values[0][:40]!r}, of {values[-3][:40]!r}")
    accession, name, names, genes, functions, domains, places, diseases, length, ids, _ = values
    if not name or not names:
        raise UnusableFile(f"UniProt's {accession} has no name")
    return Protein(
        accession=accession,
        entry_name=name,
        protein_name=names,
        gene_names=genes.replace(";", " ").split(),
        hgnc_ids=list(dict.fromkeys(ids.split(";")[:-1])),
        length=int(length),
        functions=[
            _bounded(_TEXT_EVIDENCE.sub("", text), MAX_FUNCTION_CHARS)
            for text in _comments(functions, "FUNCTION")
        ],
        domains=_domains(domains),
        subcellular_locations=_locations(places),
        diseases=[_disease(text) for text in _comments(diseases, "DISEASE")],
    )


def _comments(text: str, topic: str) -> list[str]:
    if not text:
        return []
    start = f"{topic}: "
    if not text.startswith(start):
        raise UnusableFile(f"a comment about {topic} that starts with {text[:40]!r}")
    return [each.strip() for each in text.removeprefix(start).split(f"; {start}")]


def _bounded(text: str, max_chars: int) -> str:
    return text if len(text) <= max_chars else f"{text[: max_chars - 1]}…"


def _domains(text: str) -> list[Domain]:
    found = []
    place = 0
    while place < len(text):
        read = _DOMAIN.match(text, place)
        if read is None:
            raise UnusableFile(f"a domain of another form: {text[place : place + 40]!r}")
        note = _NOTE.search(read["rest"])
        start, end = _extent(read["place"])
        found.append(Domain(note[1].replace('""', '"') if note else None, start, end))
        place = read.end()
    return found


def _extent(text: str) -> tuple[int | None, int | None]:
    """Return the first and the last residue. ``?``, ``<1`` and ``>99`` are not exactly known."""
    found = _ANY_PLACE.fullmatch(text)
    if found is None:
        raise UnusableFile(f"a place of another form: {text[:40]!r}")
    start, end = found[1], found[2] or found[1]
    return _exact(start), _exact(end)


def _exact(place: str) -> int | None:
    return int(place) if _PLACE.fullmatch(place) else None


def _locations(text: str) -> list[str]:
    found: dict[str, None] = {}
    for comment in _comments(text, "SUBCELLULAR LOCATION"):
        text = _MOLECULE.sub("", _EVIDENCE.sub("", comment)).partition("Note=")[0]
        for place in text.strip().rstrip(".").split(". "):
            # what follows a semicolon is the topology: "Single-pass membrane protein"
            name = place.partition(";")[0].strip()
            if name:
                found[name] = None
    return list(found)


def _disease(comment: str) -> Disease:
    text = _TEXT_EVIDENCE.sub("", comment)
    named = _DISEASE.fullmatch(_MOLECULE.sub("", text))
    if named is None:
        return Disease(None, None, None, _bounded(text.removeprefix("Note="), MAX_DISEASE_CHARS))
    text = _bounded(named["text"], MAX_DISEASE_CHARS)
    return Disease(named["name"], named["short"], f"OMIM:{named['mim']}", text)
