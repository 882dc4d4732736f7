"""Generates ClinVar's three classifications of variants, with dates and conditions.

A thousand profiles are generated in advance and shared by all variants, which makes answers cheap:
a variant's record is a few fields around a prepared text.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Any, NamedTuple

PROFILES = 1024

_CRITERIA = "criteria provided, single submitter"
_SINGLE = "no classification for the single variant"

# The weights approximate ClinVar's totals. Rare terms are frequent enough to occur in tests.
_GERMLINE = {
    "Uncertain significance": 430,
    "Likely benign": 230,
    "Benign": 80,
    "Pathogenic": 70,
    "Likely pathogenic": 40,
    "Conflicting classifications of pathogenicity": 45,
    "Benign/Likely benign": 40,
    "Pathogenic/Likely pathogenic": 30,
    "not provided": 8,
    "": 6,
    "drug response": 3,
    "risk factor": 3,
    "association": 2,
    "Pathogenic; drug response": 2,
    "Pathogenic, low penetrance": 2,
    "Likely pathogenic, low penetrance": 2,
    "Uncertain significance/Uncertain risk allele": 2,
    "VUS-high": 2,
    "VUS-mid": 2,
    "VUS-low": 1,
    "Uncertain significance/VUS-high": 1,
    "Uncertain significance; Pathogenic/Likely pathogenic": 1,
    "conflicting data from submitters": 1,
    "Affects": 2,
    "protective": 1,
    "other": 1,
    _SINGLE: 1,
}
_REVIEW = {
    _CRITERIA: 62,
    "criteria provided, multiple submitters, no conflicts": 22,
    "no assertion criteria provided": 9,
    "reviewed by expert panel": 5,
    "practice guideline": 1,
    "no classifications from unflagged records": 1,
}
_FIXED_REVIEW = {
    "Conflicting classifications of pathogenicity": (
        "criteria provided, conflicting classifications"
    ),
    "not provided": "no classification provided",
    _SINGLE: _SINGLE,
    "": "",
}
_IMPACT = (
    "Tier I - Strong",
    "Tier II - Potential",
    "Tier III - Unknown",
    "Tier IV - Benign/Likely benign",
)
_ONCOGENICITY = (
    "Oncogenic",
    "Likely oncogenic",
    "Uncertain significance",
    "Likely benign",
    "Benign",
)
_HARMFUL = ("Pathogenic", "Likely pathogenic")

_TRAITS = (
    (
        "Polycystic kidney disease, adult type",
        "MedGen:C3149841",
        "MONDO:MONDO:0008263",
        "OMIM:173900",
    ),
    ("Polycystic kidney disease 2", "MedGen:C2751306", "MONDO:MONDO:0013131", "OMIM:613095"),
    ("Autosomal recessive polycystic kidney disease", "MedGen:C0085548", "Orphanet:731"),
    ("X-linked Alport syndrome", "MedGen:C4746986", "MONDO:MONDO:0010520", "OMIM:301050"),
    ("Autosomal dominant Alport syndrome", "MedGen:C5882663", "Orphanet:88918"),
    ("Finnish congenital nephrotic syndrome", "MedGen:C0403399", "MONDO:MONDO:0009732"),
    (
        "Focal segmental glomerulosclerosis",
        "Human Phenotype Ontology:HP:0000097",
        "MedGen:C0017668",
    ),
    ("Nephronophthisis", "Human Phenotype Ontology:HP:0000090", "MedGen:C0687120"),
    ("Renal cysts and diabetes syndrome", "MedGen:C0431693", "MONDO:MONDO:0007669"),
    ("Bartter disease type 3", "MedGen:C1846343", "MONDO:MONDO:0011765", "OMIM:607364"),
    ("Familial hypokalemia-hypomagnesemia", "MedGen:C0268450", "Orphanet:358"),
    ("Fabry disease", "MedGen:C0002986", "MONDO:MONDO:0010526", "OMIM:301500", "Orphanet:324"),
    ("Hereditary cancer-predisposing syndrome", "MedGen:C0027672", "MeSH:D009386"),
    ("Inborn genetic diseases", "MedGen:C0950123", "MeSH:D030342"),
    ("Dilated cardiomyopathy 1G", "MedGen:C1858763", "MONDO:MONDO:0011400", "OMIM:604145"),
    ("Primary hyperoxaluria, type I", "MedGen:C0268164", "MONDO:MONDO:0009823", "OMIM:259900"),
    ("not specified", "MedGen:CN169374"),
    ("not provided", "MedGen:C3661900"),
)
_SOMATIC_TRAITS = (
    ("Melanoma", "MedGen:C0025202", "MONDO:MONDO:0005105", "MeSH:D008545"),
    ("Neoplasm", "MedGen:C0027651", "MONDO:MONDO:0005070", "MeSH:D009369"),
    ("Colorectal cancer", "MedGen:C0346629", "MONDO:MONDO:0005575", "OMIM:114500"),
)


class Aggregate(NamedTuple):
    """One of the three classifications. All fields are empty if there is none."""

    description: str
    review_status: str
    evaluated: date | None
    traits: tuple[tuple[str, ...], ...]

    def as_json(self) -> dict[str, Any]:
        """Return the form of an esummary record, in which "1/01/01 00:00" means no date."""
        return {
            "description": self.description,
            "last_evaluated": f"{self.evaluated:%Y/%m/%d} 00:00"
            if self.evaluated
            else "1/01/01 00:00",
            "review_status": self.review_status,
            "fda_recognized_database": (
                "true" if self.review_status == "reviewed by expert panel" else ""
            ),
            "trait_set": [
                {
                    "trait_xrefs": [
                        {"db_source": source, "db_id": value}
                        for source, _, value in (xref.partition(":") for xref in xrefs)
                    ],
                    "trait_name": name,
                }
                for name, *xrefs in self.traits
            ],
        }

    def as_columns(self) -> tuple[str, str, str]:
        """Return description, date and review status for the bulk table; "-" means none."""
        evaluated = f"{self.evaluated:%b %d, %Y}" if self.evaluated else "-"
        return self.description or "-", evaluated, self.review_status or "-"


_NOTHING = Aggregate("", "", None, ())


@dataclass(frozen=True, slots=True)
class Profile:
    """Three classifications, shared by some variants, for the API and the bulk table."""

    germline: Aggregate
    impact: Aggregate
    oncogenicity: Aggregate
    submitters: int
    json_text: str
    phenotype_columns: str
    rcvs: int


@cache
def make_profiles(seed: int) -> tuple[Profile, ...]:
    """Return the profiles of a catalogue. Equal seeds give equal profiles."""
    random = Random(f"classifications {seed}")  # noqa: S311 - reproducible, not secret
    return tuple(_profile(random) for _ in range(PROFILES))


def _profile(random: Random) -> Profile:
    description = _weighted(random, _GERMLINE)
    somatic = random.randrange(40)
    impact = oncogenicity = _NOTHING
    if somatic == 0 or (not description and random.random() < 0.5):  # noqa: PLR2004
        impact = _aggregate(random, random.choice(_IMPACT), _CRITERIA, _SOMATIC_TRAITS)
    if somatic == 1 or (not description and impact is _NOTHING):
        oncogenicity = _aggregate(random, random.choice(_ONCOGENICITY), _CRITERIA, _SOMATIC_TRAITS)
    if description == _SINGLE:
        # a part of a haplotype, without a classification of its own
        impact = oncogenicity = Aggregate(_SINGLE, _SINGLE, None, ())
    germline = _NOTHING
    if description:
        review = _FIXED_REVIEW.get(description) or _weighted(random, _REVIEW)
        germline = _aggregate(random, description, review, _TRAITS)
    fields = {
        "germline_classification": germline.as_json(),
        "clinical_impact_classification": impact.as_json(),
        "oncogenicity_classification": oncogenicity.as_json(),
    }
    traits = germline.traits or impact.traits or oncogenicity.traits
    return Profile(
        germline=germline,
        impact=impact,
        oncogenicity=oncogenicity,
        submitters=1 if germline.review_status == _CRITERIA else random.randint(2, 9),
        json_text=json.dumps(fields, separators=(",", ":"))[1:-1],
        phenotype_columns="\t".join(
            ("|".join(",".join(t[1:]) for t in traits), "|".join(t[0] for t in traits))
        ),
        rcvs=len(traits),
    )


def _aggregate(
    random: Random, description: str, review: str, traits: tuple[tuple[str, ...], ...]
) -> Aggregate:
    evaluated = date(2012, 1, 1) + timedelta(days=random.randrange(5_000))
    dated = random.random() > 0.03 and description != "not provided"  # noqa: PLR2004
    chosen = tuple(random.sample(traits, k=random.randint(1, min(9, len(traits)))))
    return Aggregate(description, review, evaluated if dated else None, chosen)


def _weighted(random: Random, weights: dict[str, int]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]


def significance_simple(profile: Profile) -> int:
    """Return ClinSigSimple: 1 if anyone says pathogenic, 0 if not, -1 if not germline."""
    if not profile.germline.description:
        return -1
    return int(profile.germline.description.startswith(_HARMFUL))
