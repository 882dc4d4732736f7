"""A small ontology of real HPO terms, with synthetic terms below them."""

from collections.abc import Iterator
from typing import NamedTuple


class Term(NamedTuple):
    """A term with its parents."""

    id: str
    name: str
    above: tuple[str, ...]


# id, name and parents
_REAL = """
0000001;All;
0000005;Mode of inheritance;0000001
0000006;Autosomal dominant inheritance;0000005
0000007;Autosomal recessive inheritance;0000005
0001417;X-linked inheritance;0000005
0001419;X-linked recessive inheritance;0001417
0001423;X-linked dominant inheritance;0001417
0001427;Mitochondrial inheritance;0000005
0012823;Clinical modifier;0000001
0031797;Clinical course;0000001
0003674;Onset;0031797
0003577;Congenital onset;0003674
0003581;Adult onset;0003674
0000118;Phenotypic abnormality;0000001
0000119;Abnormality of the genitourinary system;0000118
0000079;Abnormality of the urinary system;0000119
0010935;Abnormality of the upper urinary tract;0000079
0000077;Abnormality of the kidney;0010935
0012210;Abnormal renal morphology;0000077
0000107;Renal cyst;0012210
0000113;Polycystic kidney dysplasia;0000107
0005562;Multiple renal cysts;0000107
0000089;Renal hypoplasia;0012210
0000104;Renal agenesis;0012210
0012575;Abnormal nephron morphology;0012210
0000095;Abnormal renal glomerulus morphology;0012575
0000096;Glomerular sclerosis;0000095
0000097;Focal segmental glomerulosclerosis;0000096
0012211;Abnormal renal physiology;0000077
0000083;Renal insufficiency;0012211
0012622;Chronic kidney disease;0012211
0003774;Stage 5 chronic kidney disease;0012622
0011277;Abnormality of the urinary system physiology;0000079
0000790;Hematuria;0011277
0000093;Proteinuria;0011277
0000100;Nephrotic syndrome;0011277,0012211
0000478;Abnormality of the eye;0000118
0000518;Cataract;0000478
0001105;Retinal atrophy;0000478
0000598;Abnormality of the ear;0000118
0000365;Hearing impairment;0000598
0001626;Abnormality of the cardiovascular system;0000118
0000822;Hypertension;0001626
0001634;Mitral valve prolapse;0001626
0000707;Abnormality of the nervous system;0000118
0001250;Seizure;0000707
0001263;Global developmental delay;0000707
0002463;Language impairment;0000707
0001392;Abnormality of the liver;0000118
0001407;Hepatic cysts;0001392
0000924;Abnormality of the skeletal system;0000118
0004322;Short stature;0000924
"""
_SYSTEMS = (
    "0012210", "0012211", "0011277", "0000478", "0000598", "0001626", "0000707", "0001392",
    "0000924",
)  # fmt: skip
_MADE_UP = 360

#: Obsolete terms with their replacements. No annotation uses them.
OBSOLETE = (
    ("HP:0004726", "obsolete Abnormality of the kidney morphology", "HP:0012210"),
    ("HP:0000489", "obsolete Abnormality of globe location or size", None),
)

_NO_PHENOTYPES = frozenset({
    "HP:0000001", "HP:0000005", "HP:0000118", "HP:0012823", "HP:0031797", "HP:0003674",
})  # fmt: skip


def _terms() -> Iterator[Term]:
    for line in _REAL.strip().splitlines():
        number, name, above = line.split(";")
        yield Term(f"HP:{number}", name, tuple(f"HP:{each}" for each in above.split(",") if each))
    for place in range(_MADE_UP):
        system = _SYSTEMS[place % len(_SYSTEMS)]
        yield Term(f"HP:09{place:05d}", f"Synthetic abnormality {place}", (f"HP:{system}",))


TERMS = tuple(_terms())

MODES = tuple(term for term in TERMS if term.id in {"HP:0000006", "HP:0000007", "HP:0001419"})

#: The terms that annotations use.
PHENOTYPES = tuple(
    term
    for term in TERMS
    if term.id not in _NO_PHENOTYPES and not {"HP:0000005", "HP:0001417"} & set(term.above)
)
