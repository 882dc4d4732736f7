"""Pictures of real, extreme and malformed answers."""

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.annotation.data.fields import fields_of
from app.annotation.sources import SOURCES
from app.annotation.sources.answers import Gene
from app.annotation.sources.clingen.reader import read as read_clingen
from app.annotation.sources.gencc.reader import read as read_gencc
from app.annotation.sources.gnomad import read as read_gnomad
from app.annotation.sources.gtex import KIDNEY_CORTEX, TISSUES
from app.annotation.sources.panelapp.reader import read as read_panelapp
from app.web.cards.drawing import Answer, draw
from app.web.cards.shapes import WIDTH, Drawn
from tests.unit.annotation.sources.damage import ask

BRCA1 = Gene(1, "HGNC:1100", "BRCA1", "ENSG00000012048", "672")
PKD1 = Gene(1, "HGNC:9008", "PKD1", "ENSG00000008710", "5310")
ATM = Gene(1, "HGNC:795", "ATM")

NONSENSE = (None, "x", True, -5, 1e308, [], {}, [None], ["x"], [{}], {"x": None}, {"x": "y"})
"""Values that a field of another version, or of a damaged row, may have."""


def drawn(source: str, data: Any) -> list[Any]:
    """The pictures of an answer on the page."""
    fields = {".".join(field.path): field for field in fields_of(source).values()}
    answer = Answer(data, fields)
    found: list[Drawn | None] = [draw(each, answer) for each in SOURCES[source].pictures]
    return [each for each in found if each is not None]


def test_the_constraint_of_brca1_is_on_its_scale(shared_data: Path) -> None:
    path = shared_data / "gnomad/gnomad.v4.1.1.constraint_metrics.BRCA1_OR4F5.tsv"
    ((data,), _) = ask(read_gnomad, [BRCA1], path)

    ratio, pli = drawn("gnomad", data)

    lof = ratio.levels[0]
    assert (lof.label, lof.number) == ("loss of function", "0.8062 (0.7028 to 0.9276)")
    # of 1,000 parts from 0 to 2
    assert (lof.low, lof.x, lof.high) == (351.42, 403.09, 463.8)
    beside = {"observed": "140", "expected": "173.7", "z": "2.167", "LOEUF": "0.9276"}
    assert dict(lof.beside) == beside
    assert (ratio.ticks, ratio.mark) == (["0", "0.5", "1", "1.5", "2"], 500)
    assert (pli.levels[0].number, pli.levels[0].x) == ("5.517e-38", 0)


def test_a_value_beyond_the_scale_is_drawn_at_its_end_and_labelled() -> None:
    level = {"observed": 9, "expected": 1.0, "oe": 9.0, "oe_lower": 1.5, "oe_upper": 12.0, "z": -3}
    none = dict.fromkeys(level)
    ratio, _ = drawn("gnomad", {"lof": level, "mis": none, "syn": none, "pli": 0.5})

    lof, mis, _ = ratio.levels
    assert (lof.low, lof.x, lof.high, lof.beyond) == (750, WIDTH, WIDTH, True)
    assert (mis.x, mis.number) == (None, "none stated")


def test_the_classes_of_variants_add_up_to_the_whole_bar() -> None:
    classes = fields_of("clinvar")
    germline = {each.path[1]: 0 for each in classes.values() if each.path[0] == "germline"}
    germline |= {"pathogenic": 1_000, "uncertain": 2_500, "benign": 500}

    stack, *_ = drawn("clinvar", {"germline": germline})

    assert stack.total == "4,000"
    shown = [(each.label, each.x, each.width) for each in stack.parts if each.width]
    assert shown == [
        ("Pathogenic", 0, 250),
        ("Uncertain significance", 250, 625),
        ("Benign", 875, 125),
    ]
    assert [each.share for each in stack.parts if each.width] == ["25.0%", "62.5%", "12.5%"]


def test_a_gene_without_variants_has_an_empty_bar() -> None:
    stack, consequence, _ = drawn(
        "clinvar",
        {"germline": {"pathogenic": 0}, "molecular_consequence": {}, "review_status": {}},
    )

    assert stack.total == "0"
    assert {each.width for each in stack.parts} == {0}
    assert consequence.bars.first == []
    assert consequence.nothing.startswith("The number of variants for each molecular")


def test_the_kidney_is_marked_at_any_rank(shared_data: Path) -> None:
    recorded = shared_data / "gtex/gtex_medianGeneExpression_TP53_page0.json"
    rows = json.loads(recorded.read_text())["data"]
    medians = dict.fromkeys(TISSUES, 0.0)
    medians |= {row["tissueSiteDetailId"]: row["median"] for row in rows}

    (bars,) = drawn("gtex", {"tissues_tpm": medians})

    first = bars.bars.first[0]
    assert (first.label.text, first.number, first.width) == (
        "Adipose Subcutaneous",
        "22.46",
        WIDTH,
    )
    marked = [each.label.text for each in bars.bars.first if each.marked]
    assert marked == ["Kidney Cortex", "Kidney Medulla"]
    assert len(bars.bars.first) == 12
    assert len(bars.bars) == 54
    assert bars.unit == "TPM"


def test_a_marked_bar_among_the_first_is_shown_once() -> None:
    (bars,) = drawn("gtex", {"tissues_tpm": dict.fromkeys(TISSUES, 1.0) | {KIDNEY_CORTEX: 9.0}})

    names = [each.label.text for each in (*bars.bars.first, *bars.bars.rest)]
    assert names[0] == "Kidney Cortex"
    assert len(names) == len({*names}) == 54


def test_each_disease_lists_its_classifications_the_strongest_first(shared_data: Path) -> None:
    found = ask(
        read_clingen,
        [PKD1],
        shared_data / "clingen/Clingen-Gene-Disease-Summary-2025-01-09.share.csv",
        shared_data / "clingen/ClinGen_gene_curation_list_GRCh38.2026-02-06.share.tsv",
    )
    (validity,) = drawn("clingen", found.answers[0])

    shown = [
        (each.strongest.label, each.name.text, each.identifier.href)
        for each in validity.subjects.first
    ]
    recessive = "autosomal recessive polycystic kidney disease"
    assert ("MONDO:0009889" in shown[1][2], shown[1][1]) == (True, recessive)
    assert shown[0][0] == "Definitive"
    inheritance, panel, day, report = validity.subjects.first[1].all.first[0].beside
    assert (inheritance.text, day.text) == ("AR", "2023-01-11")
    assert panel.text.endswith("Gene Curation Expert Panel")
    assert (report.text, report.href[:40]) == (
        "search.clinicalgenome.org",
        "https://search.clinicalgenome.org/kb/gen",
    )


def test_the_submissions_about_one_disease_are_together(shared_data: Path) -> None:
    path = shared_data / "gencc/gencc-submissions.sgc_id-layout.share.tsv"
    ((atm,), _) = ask(read_gencc, [ATM], path)

    (validity,) = drawn("gencc", atm)

    by_disease = {each.name.text: each for each in validity.subjects.first}
    assert sum(len(each.all) for each in by_disease.values()) == 7
    ataxia = by_disease["ataxia telangiectasia"]
    assert ataxia.strongest.label == "Definitive"
    assert len(ataxia.all) > 1


def test_panels_have_their_colours_the_best_first(shared_data: Path, tmp_path: Path) -> None:
    panels = [
        json.loads((shared_data / f"panelapp/uk_panel_{number}.json").read_text())
        for number in (150, 156, 292)
    ]
    first, second, _ = (
        [each["gene_data"]["hgnc_id"] for each in panel["genes"]] for panel in panels
    )
    shared = next(each for each in first if each in second)
    path = tmp_path / "panels.json.gz"
    lines = "".join(json.dumps({"region": "UK", "panel": each}) + "\n" for each in panels)
    path.write_bytes(gzip.compress(lines.encode()))
    ((data,), _) = ask(read_panelapp, [Gene(1, shared, "SHARED")], path)

    (labels,) = drawn("panelapp", data)

    order = ["green", "amber", "red", "none"]
    shown = [each.label for each in labels.rows.first]
    assert len(shown) >= 2
    assert shown == sorted(shown, key=order.index)
    assert [label for label, _, _ in labels.counts] == order
    assert sum(number for _, _, number in labels.counts) == len(labels.rows)


def test_real_partners_link_to_their_pages(shared_data: Path) -> None:
    rows = json.loads((shared_data / "string/api_interaction_partners.share.json").read_text())
    ank1 = [each for each in rows if each["preferredName_A"] == "ANK1"]
    partners = [
        {
            "symbol": each["preferredName_B"],
            "hgnc_id": f"HGNC:{number}" if number else None,
            "protein": each["stringId_B"],
            "score": round(1_000 * each["score"]),
        }
        for number, each in enumerate(ank1)
    ]

    (bars,) = drawn("string", {"strongest_partners": partners})

    first, second, *_ = bars.bars.first
    assert (first.label.text, first.label.gene) == ("SLC4A1", "")
    assert (second.label.gene, first.width) == ("HGNC:1", 999)
    assert bars.unit == "score 0-1000"


def test_real_terms_are_shown_with_those_of_the_organ_first(shared_data: Path) -> None:
    path = shared_data / "hpo/genes_to_phenotype.current-layout.4rows.txt"
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    terms = {row[2]: row[3] for row in rows if len(row) > 3}
    organ = {"HP:0001105": terms["HP:0001105"]}

    phenotypes, _ = drawn("hpo", {"terms": terms, "organ_terms": organ, "diseases": []})

    first, others = phenotypes.groups
    ((name, term),) = first.terms.first
    assert (name.text, term.text) == ("Retinal atrophy", "HP:0001105")
    assert term.href == "https://hpo.jax.org/browse/term/HP:0001105"
    assert len(others.terms) == len(terms) - 1


def test_a_disease_has_the_names_of_its_modes_of_inheritance() -> None:
    disease = {"disease_id": "OMIM:1", "disease": None, "mode_of_inheritance_ids": ["HP:0000006"]}
    data = {
        "terms": {},
        "organ_terms": {},
        "diseases": [disease],
        "modes_of_inheritance": {"HP:0000006": "Autosomal dominant inheritance"},
    }

    _, diseases = drawn("hpo", data)

    assert diseases.table.rows.first[0][2].text == "Autosomal dominant inheritance"
    assert diseases.table.rows.first[0][0].is_none


def test_thousands_of_terms_are_shortened_and_counted() -> None:
    terms = {f"HP:{number:07d}": f"term {number}" for number in range(5_000)}

    phenotypes, _ = drawn("hpo", {"terms": terms, "organ_terms": {}, "diseases": []})

    nothing, others = phenotypes.groups
    assert len(nothing.terms) == 0
    assert len(others.terms) == 5_000
    assert len(others.terms.first) < 20
    assert len(others.terms.rest) < 1_000
    assert others.terms.more == 5_000 - len(others.terms.first)


@pytest.mark.parametrize("source", [name for name, each in SOURCES.items() if each.pictures])
@pytest.mark.parametrize("value", NONSENSE, ids=repr)
def test_nonsense_in_an_answer_breaks_no_picture(source: str, value: Any) -> None:
    for field in fields_of(source).values():
        data: Any = value
        for name in reversed(field.path):
            data = {name: data}
        for each in drawn(source, data):
            # every drawing can be rendered
            assert msgspec.json.encode(msgspec.to_builtins(each))
        element = {part.path[-1]: value for part in field.parts}
        drawn(source, {field.path[0]: [element, element]})
