import json
import re
from calendar import month_abbr
from collections import Counter

import pytest

from sandbox.catalogue import Catalogue
from sandbox.clinvar.summaries import record
from sandbox.clinvar.tables import COLUMNS, rows
from sandbox.clinvar.variants import Variants
from sandbox.options import Options

# The consequence of a title, in the order of the rules.
RULES = (
    (r"^GRCh38/hg38 ", None),
    (r"\(p\.Met1\?\)", "initiator codon variant"),
    (r"\(p\.[A-Za-z]{3}\d+(Ter|\*)\)", "nonsense"),
    (r"\(p\.[A-Za-z]{3}\d+=\)", "synonymous variant"),
    (r"\(p\.[A-Za-z]{3}\d+fs\)", "frameshift variant"),
    (r"\(p\.[A-Za-z]{3}\d+del\)", "inframe_deletion"),
    (r"\(p\.[A-Za-z]{3}\d+[A-Z][a-z]{2}\)", "missense variant"),
    (r":c\.\*\d", "3 prime UTR variant"),
    (r":c\.-\d", "5 prime UTR variant"),
    (r":c\.\d+\+[12][ACGT]>", "splice donor variant"),
    (r":c\.\d+-[12][ACGT]>", "splice acceptor variant"),
    (r":c\.\d+[+-]\d+", "intron variant"),
)


@pytest.fixture(scope="module")
def variants() -> Variants:
    return Variants(Catalogue(Options(genes=150)))


def test_the_consequence_is_that_of_the_title(variants):
    seen = Counter()
    for variant in variants:
        said = next(kind for pattern, kind in RULES if re.search(pattern, variant.title))
        summary = json.loads(f"{{{record(variant)}}}")[str(variant.variation_id)]
        assert summary["molecular_consequence_list"] == ([said] if said else []), variant.title
        seen[said] += 1
    assert len(seen) == len(RULES)


def test_the_bulk_rows_have_the_values_of_the_summaries(variants):
    for variant in variants:
        summary = json.loads(f"{{{record(variant)}}}")[str(variant.variation_id)]
        for line in rows(variant):
            row = dict(zip(COLUMNS, line.rstrip("\n").split("\t"), strict=True))
            assert row["VariationID"] == summary["uid"]
            assert row["Name"] == summary["title"]
            assert row["Type"] == summary["obj_type"]
            assert row["#AlleleID"] == summary["variation_set"][0]["measure_id"]
            assert row["GeneSymbol"].split(";") == [gene["symbol"] for gene in summary["genes"]]
            for columns, field in (
                (("ClinicalSignificance", "LastEvaluated", "ReviewStatus"), "germline"),
                (
                    (
                        "SomaticClinicalImpact",
                        "SomaticClinicalImpactLastEvaluated",
                        "ReviewStatusClinicalImpact",
                    ),
                    "clinical_impact",
                ),
                (
                    ("Oncogenicity", "OncogenicityLastEvaluated", "ReviewStatusOncogenicity"),
                    "oncogenicity",
                ),
            ):
                answer = summary[f"{field}_classification"]
                description, evaluated, review = (row[column] for column in columns)
                assert (description if description != "-" else "") == answer["description"]
                assert (review if review != "-" else "") == answer["review_status"]
                assert _day(evaluated) == answer["last_evaluated"]


def test_most_variants_have_a_row_for_each_assembly_and_some_one(variants):
    counts = Counter(len(rows(variant)) for variant in variants)
    assemblies = Counter(
        tuple(line.split("\t")[16] for line in rows(variant)) for variant in variants
    )

    assert set(assemblies) == {("GRCh37", "GRCh38"), ("GRCh38",), ("na",)}
    assert counts[2] > 0.9 * len(variants)


def test_all_germline_classes_and_both_other_classifications_occur(variants):
    germline = {profile.germline.description for profile in variants.profiles}

    assert {
        "Pathogenic",
        "Pathogenic/Likely pathogenic",
        "Likely pathogenic",
        "Conflicting classifications of pathogenicity",
        "Uncertain significance",
        "Likely benign",
        "Benign",
        "Benign/Likely benign",
        "drug response",
        "not provided",
        "",
    } <= germline
    assert any(profile.impact.description for profile in variants.profiles)
    assert any(profile.oncogenicity.description for profile in variants.profiles)
    assert any(profile.germline.evaluated is None for profile in variants.profiles)


def _day(text: str) -> str:
    if text == "-":
        return "1/01/01 00:00"
    month, day, year = text.replace(",", "").split()
    return f"{year}/{list(month_abbr).index(month):02d}/{day} 00:00"
