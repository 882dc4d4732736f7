"""A small ontology of real MP terms, with synthetic terms below them."""

from collections.abc import Iterator
from typing import NamedTuple


class Term(NamedTuple):
    """A term with its parents."""

    id: str
    name: str
    above: tuple[str, ...]


_TOPMOST = """
0005367;renal/urinary system phenotype
0005376;homeostasis/metabolism phenotype
0010768;mortality/aging
0005378;growth/size/body region phenotype
0005384;cellular phenotype
0005386;behavior/neurological phenotype
0005385;cardiovascular system phenotype
0005387;immune system phenotype
0005397;hematopoietic system phenotype
0003631;nervous system phenotype
0005391;vision/eye phenotype
0005390;skeleton phenotype
0002873;normal phenotype
"""
_BELOW = """
0002135;abnormal kidney morphology;0005367
0003675;kidney cyst;0002135
0000519;hydronephrosis;0002135
0000524;decreased renal tubule number;0002135
0002827;abnormal renal corpuscle morphology;0002135
0002136;abnormal kidney physiology;0005367
0002743;glomerulonephritis;0002136
0002962;increased urine protein level;0002136,0005376
0002847;abnormal renal glomerular filtration rate;0002136
0001756;abnormal urination;0005367
0002169;no abnormal phenotype detected;0002873
"""
_MADE_UP = 240

#: Obsolete terms with their replacements. No report uses them.
OBSOLETE = (
    ("MP:0000002", "obsolete Morphology", None),
    ("MP:0002989", "obsolete small kidney", "MP:0002135"),
)


def _terms() -> Iterator[Term]:
    yield Term("MP:0000001", "mammalian phenotype", ())
    topmost = [line.split(";") for line in _TOPMOST.strip().splitlines()]
    for number, name in topmost:
        yield Term(f"MP:{number}", name, ("MP:0000001",))
    for line in _BELOW.strip().splitlines():
        number, name, above = line.split(";")
        yield Term(f"MP:{number}", name, tuple(f"MP:{each}" for each in above.split(",")))
    for place in range(_MADE_UP):
        number, _ = topmost[place % len(topmost)]
        yield Term(f"MP:09{place:05d}", f"synthetic phenotype {place}", (f"MP:{number}",))


TERMS = tuple(_terms())
TOPMOST = tuple(term for term in TERMS if term.above == ("MP:0000001",))
SPECIFIC = tuple(term for term in TERMS if term.above and term not in TOPMOST)
KIDNEY = SPECIFIC[:10]


def topmost_of(term: Term) -> tuple[Term, ...]:
    """Return the topmost terms above a term."""
    if term in TOPMOST:
        return (term,)
    return tuple(top for each in TERMS if each.id in term.above for top in topmost_of(each))
