"""The molecular consequence of a variant, read from its HGVS name.

ClinVar's bulk table has no column for the consequence (README of ``pub/clinvar/tab_delimited``),
and the list that ``esummary`` gives depends on every transcript of the gene. Both have the name:
``title`` in a summary, ``Name`` in the table. So the consequence is derived from the name, and both
give the same annotation. It is the consequence on the transcript that ClinVar chose for the name.
The terms are ClinVar's own, those of the page filter "Molecular consequence".
"""

import re

MISSENSE = "missense variant"
NONSENSE = "nonsense"
SYNONYMOUS = "synonymous variant"
FRAMESHIFT = "frameshift variant"
INITIATOR = "initiator codon variant"
STOP_LOST = "stop lost"
INFRAME_DELETION = "inframe deletion"
INFRAME_INSERTION = "inframe insertion"
INFRAME_INDEL = "inframe indel"
DONOR = "splice donor variant"
ACCEPTOR = "splice acceptor variant"
INTRON = "intron variant"
UTR_5 = "5 prime UTR variant"
UTR_3 = "3 prime UTR variant"
NON_CODING = "non-coding transcript variant"

TERMS = (
    MISSENSE, NONSENSE, SYNONYMOUS, FRAMESHIFT, INITIATOR, STOP_LOST, INFRAME_DELETION,
    INFRAME_INSERTION, INFRAME_INDEL, DONOR, ACCEPTOR, INTRON, UTR_5, UTR_3, NON_CODING,
)  # fmt: skip
"""All terms."""

_PROTEIN = re.compile(r"([A-Z][a-z]{2}|\*)(\d+)(?:_([A-Z][a-z]{2}|\*)\d+)?([^\s()\[;]*)", re.ASCII)
_POSITION = r"([-*]?)(\d+)([-+]\d+)?"
_CHANGE = re.compile(rf":([cn])\.{_POSITION}(?:_{_POSITION})?", re.ASCII)

_RESIDUES = (
    "Ala", "Arg", "Asn", "Asp", "Cys", "Gln", "Glu", "Gly", "His", "Ile", "Leu",
    "Lys", "Met", "Phe", "Pro", "Sec", "Ser", "Thr", "Trp", "Tyr", "Val",
)  # fmt: skip
_BY_ENDING = {
    "=": SYNONYMOUS,
    "Ter": NONSENSE,
    "*": NONSENSE,
    "fs": FRAMESHIFT,
    "del": INFRAME_DELETION,
    "dup": INFRAME_INSERTION,
} | dict.fromkeys(_RESIDUES, MISSENSE)
_BY_PART = (
    # in this order: an insertion may shift the frame or bring a stop
    ("fs", FRAMESHIFT),
    ("Ter", NONSENSE),
    ("*", NONSENSE),
    ("delins", INFRAME_INDEL),
    ("ins", INFRAME_INSERTION),
    ("dup", INFRAME_INSERTION),
    ("del", INFRAME_DELETION),
)
_STOP = frozenset({"Ter", "*"})
_START_OR_STOP = frozenset({"Met", "Ter"})  # the start, or the stop: more than a residue is changed
_SPLICE_SITE_BASES = 2  # bases of an intron that are its splice site, at either end


def consequence(name: str) -> str | None:
    """Derive the consequence from a name such as ``NM_004333.6(BRAF):c.1799T>G (p.Val600Gly)``.

    If the name has a change of the protein, the change decides. Otherwise the position in the
    transcript decides: within two bases of an exon it is a splice site, and further away an intron
    variant. ``c.-`` is before the coding sequence, and ``c.*`` after it.

    Returns:
        One of the terms above; None if the name does not tell (genomic names, copy numbers,
        haplotypes, repeats counted in brackets).
    """
    start = name.rfind("(p.")
    if start >= 0:
        if name[start + 6 : -4].isdigit() and name[start + 3 : start + 6] not in _START_OR_STOP:
            plain = _BY_ENDING.get(name[-4:-1])  # one residue for another, nine in ten names
            if plain is not None:
                return plain
        found = _PROTEIN.match(name, start + 3) or _PROTEIN.match(name, start + 4)
        if found is not None:
            return _of_protein(*found.groups())
    change = _CHANGE.search(name)
    return None if change is None else _of_transcript(change)


def _of_protein(residue: str, position: str, last: str | None, ending: str) -> str | None:
    if ending == "=":
        return SYNONYMOUS
    if residue == "Met" and position == "1":
        return INITIATOR
    if residue in _STOP or (last in _STOP and "ins" not in ending):
        return STOP_LOST
    term = _BY_ENDING.get(ending)
    if term is None:
        term = next((term for part, term in _BY_PART if part in ending), None)
    return term


def _of_transcript(change: re.Match[str]) -> str | None:
    kind, region, base, offset, last_region, last_base, last_offset = change.groups()
    first = int(offset or 0)
    last = first if last_base is None else int(last_offset or 0)
    if first or last:
        one_edge = last_base is None or (region, base) == (last_region, last_base)
        return _of_intron(first, last, one_edge=one_edge)
    if kind == "n":
        return NON_CODING
    within = last_base is None or region == last_region
    return {"-": UTR_5, "*": UTR_3}.get(region) if within else None


def _of_intron(first: int, last: int, *, one_edge: bool) -> str:
    """Return the term for a range in an intron, by the distances of its ends to an exon.

    ``+`` counts from the exon before the intron, and ``-`` from the exon after it.
    """
    if 0 <= first <= _SPLICE_SITE_BASES:
        return DONOR
    towards_next_exon = first < 0 or not one_edge
    return ACCEPTOR if towards_next_exon and last >= -_SPLICE_SITE_BASES else INTRON
