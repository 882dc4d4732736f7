"""Random variants give the same annotation from the API and from the table."""

import gzip
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.annotation.sources.clinvar.aggregate import Tally
from app.annotation.sources.clinvar.attribution import MAX_GENES, GeneIndex, RequestedGene
from app.annotation.sources.clinvar.expected import Expected
from app.annotation.sources.clinvar.reader import read_table
from app.annotation.sources.clinvar.search import Counted
from app.annotation.sources.clinvar.summaries import decode_summaries

GENES = (("5310", "PKD1"), ("7249", "NEWTSC2"), (None, "LOC1"), ("12", "OTHER"))
# ClinVar's symbol of one gene differs from HGNC's, and that of another is HGNC's symbol of a third
KNOWN = {"PKD1": "5310", "TSC2": "7249", "LOC1": "999", "OTHER": "1000"}

classifications = st.tuples(
    st.sampled_from(
        [
            "",
            "Pathogenic",
            "Benign/Likely benign",
            "VUS-high",
            "VUS-extreme",
            "Tier I - Strong",
            "drug response",
            "no classification for the single variant",
        ]
    ),
    st.sampled_from(["", "reviewed by expert panel", "no assertion criteria provided"]),
    st.none() | st.dates(date(2001, 1, 1), date(2026, 12, 31)),
)
variants = st.lists(
    st.fixed_dictionaries(
        {
            "uid": st.integers(1, 40).map(str),
            "title": st.sampled_from(
                ["NM_1.1(PKD1):c.1A>T (p.Lys2Glu)", "NM_1.1(PKD1):c.5+1G>A", "Single allele"]
            ),
            "type": st.sampled_from(["Deletion", "single nucleotide variant", "Haplotype"]),
            "genes": st.lists(st.sampled_from(sorted(KNOWN)), min_size=1, max_size=3, unique=True),
            # genes of a large copy number, beside these
            "more": st.sampled_from([0, 0, 0, MAX_GENES - 3, MAX_GENES]),
            "germline": classifications,
            "impact": classifications,
            "oncogenicity": classifications,
        }
    ),
    max_size=25,
    unique_by=lambda variant: variant["uid"],
)
COLUMNS = [
    "#AlleleID", "Name", "GeneID", "GeneSymbol", "ClinicalSignificance", "ReviewStatus",
    "LastEvaluated", "Assembly", "VariationID", "SomaticClinicalImpact",
    "SomaticClinicalImpactLastEvaluated", "Oncogenicity", "OncogenicityLastEvaluated",
]  # fmt: skip


def all_genes(variant: dict[str, Any]) -> list[str]:
    return [*variant["genes"], *(f"MORE{2000 + number}" for number in range(variant["more"]))]


def gene_symbol(genes: list[str], sensitive: str) -> str:
    """Write ``GeneSymbol`` like the table, which names few of more than nine genes."""
    if len(genes) <= MAX_GENES:
        return ";".join(genes)
    if sensitive in genes:
        return f"subset of {len(genes)} genes: {sensitive}"
    return f"covers {len(genes)} genes, none of which curated to show dosage sensitivity"


def as_json(variant: dict[str, Any]) -> dict[str, Any]:
    def classification(name: str) -> dict[str, str]:
        description, review_status, at = variant[name]
        return {
            "description": description,
            "review_status": review_status,
            "last_evaluated": at.strftime("%Y/%m/%d 00:00") if at else "1/01/01 00:00",
        }

    return {
        "uid": variant["uid"],
        "obj_type": variant["type"],
        "title": variant["title"],
        "genes": [
            {"symbol": symbol, "geneid": KNOWN.get(symbol, symbol.removeprefix("MORE"))}
            for symbol in all_genes(variant)
        ],
        "germline_classification": classification("germline"),
        "clinical_impact_classification": classification("impact"),
        "oncogenicity_classification": classification("oncogenicity"),
    }


def as_rows(variant: dict[str, Any]) -> list[str]:
    def texts(name: str) -> tuple[str, str, str]:
        description, review_status, at = variant[name]
        return description or "-", review_status or "-", at.strftime("%b %d, %Y") if at else "-"

    if variant["type"] == "Haplotype":
        return []  # the table lists alleles
    genes = all_genes(variant)
    single = len(genes) == 1
    clinsig, review, evaluated = texts("germline")
    impact, _, impact_at = texts("impact")
    oncogenicity, _, oncogenicity_at = texts("oncogenicity")
    gene_id = KNOWN[variant["genes"][0]] if single else "-1"
    return [
        "\t".join(
            ["7", variant["title"], gene_id, gene_symbol(genes, "PKD1"), clinsig, review, evaluated,
             assembly, variant["uid"], impact, impact_at, oncogenicity, oncogenicity_at]
        )
        for assembly in ("GRCh37", "GRCh38")
    ]  # fmt: skip


@given(variants)
@settings(max_examples=100)
def test_the_same_variants_give_the_same_annotation(
    tmp_path_factory: pytest.TempPathFactory, served: list[dict[str, Any]]
) -> None:
    # the counts as in the file of expected counts
    expected = Expected(
        (symbol, KNOWN[symbol], 1) for variant in served for symbol in variant["genes"]
    )
    wanted = [
        RequestedGene(gene_id, expected.symbols(gene_id, symbol)) for gene_id, symbol in GENES
    ]
    by_uid = {variant["uid"]: as_json(variant) for variant in served}
    by_api = Counted([Tally() for _ in wanted])
    page = json.dumps({"result": {"uids": list(by_uid), **by_uid}}).encode()
    by_api.add(decode_summaries(page), GeneIndex(wanted))

    path = tmp_path_factory.mktemp("table") / "variant_summary.txt.gz"
    lines = ["\t".join(COLUMNS), *(row for variant in served for row in as_rows(variant))]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    in_bulk, _ = read_table(path, wanted)

    assert [tally.data() for tally in by_api.tallies] == [tally.data() for tally in in_bulk]
    assert by_api.received == len(served)
