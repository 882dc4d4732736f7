"""Answers of every kind about one gene, for the tests of its page."""

import json
from typing import Any

FOUND: dict[str, dict[str, Any]] = {
    "hgnc": {"name": "polycystin 1", "omim_id": ["601313"], "prev_symbol": ["OLD1"]},
    "clinvar": {
        "variants": 4_300,
        "germline": {"pathogenic": 900, "conflicting": 300, "uncertain": 2_800, "benign": 300},
        "molecular_consequence": {"missense variant": 2_400, "nonsense": 300},
        "review_status": {"criteria provided, multiple submitters, no conflicts": 700},
    },
    "gnomad": {
        "pli": 1.0,
        "loeuf": 0.22,
        "lof": {"observed": 20, "expected": 140.2, "oe": 0.14, "oe_lower": 0.1, "oe_upper": 0.22},
        "mis": {"oe": 0.96, "oe_lower": 0.93, "oe_upper": 0.99},
        "syn": {"oe": None},
    },
    "clingen": {
        "validity": [
            {
                "disease": "polycystic kidney disease 1",
                "disease_id": "MONDO:0008263",
                "classification": "Definitive",
                "mode_of_inheritance": "AD",
                "expert_panel": "Kidney Cystic and Ciliopathy Disorders",
                "date": "2022-06-01",
                "report_url": "https://search.clinicalgenome.org/kb/gene-validity/1",
            }
        ]
    },
    "panelapp": {
        "green": 1,
        "panels": [
            {
                "region": region,
                "panel_id": 283,
                "panel": f"Cystic kidney disease and more {rating}",
                "panel_version": "5.11",
                "confidence": rating,
                "mode_of_inheritance": "MONOALLELIC, autosomal or pseudoautosomal",
                "evidence": [],
            }
            for region in ("UK", "AU")
            for rating in ("green", "amber", "red", "none")
            for _ in range(3)
        ],
    },
    "hpo": {
        "terms": {f"HP:{number:07d}": f"Abnormality {number}" for number in range(40)},
        "organ_terms": {"HP:0000107": "Renal cyst"},
        "diseases": [{"disease_id": "OMIM:173900", "disease": "PKD 1"}],
    },
    "string": {
        "strongest_partners": [
            {"symbol": f"P{number}", "hgnc_id": f"HGNC:{number}", "score": 1_000 - 20 * number}
            for number in range(1, 31)
        ]
    },
    "gtex": {
        "tissues_tpm": {f"Tissue_{number}": 50.0 - number for number in range(50)}
        | {"Kidney_Cortex": 12.5, "Kidney_Medulla": 60.25}
    },
    "pubmed": {"articles": 1_234, "newest_pmids": [40_000_001, 40_000_000]},
}

_ANSWER = """
INSERT INTO annotations (gene_id, source, state, data, release, fetched_at, checked_state,
  checked_at, reason)
SELECT id, %(source)s, %(state)s, %(data)s, '2026-11', now(), %(state)s, now(), %(reason)s
FROM genes WHERE symbol = %(symbol)s
"""

Statements = list[tuple[str, dict[str, Any]]]


def statements(symbol: str) -> Statements:
    """Return the statements that store found answers, an absent one and an unknown one."""
    found = [(source, "found", json.dumps(data), None) for source, data in FOUND.items()]
    others = [("mgi", "absent", None, None), ("uniprot", "unknown", None, "the file was damaged")]
    return [
        (
            _ANSWER,
            {"symbol": symbol, "source": source, "state": state, "data": data, "reason": reason},
        )
        for source, state, data, reason in (*found, *others)
    ]
