"""The answers from PanelApp's panels, including wrong ones."""

import copy
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.annotation.sources.answers import Gene
from app.annotation.sources.panelapp.answers import decode_page, decode_panel
from app.annotation.sources.panelapp.data import Panel, PanelAppData
from app.annotation.sources.panelapp.reader import read
from app.annotation.upstream import BadAnswer
from app.annotation.upstream.bulk_files.messages import Count
from tests.unit.annotation.sources.broken import UNUSABLE, answers, asked, refused

PKD1 = Gene(1, "HGNC:9008", "PKD1")
PKD2 = Gene(2, "HGNC:9009", "PKD2")
TTN = Gene(3, "HGNC:12403", "TTN")

WRONG = (None, True, 7, "x", [], {}, [7])
REFUSED = (BadAnswer, msgspec.MsgspecError)


def gene(hgnc_id: str | None = "HGNC:9008", confidence: str = "3", **more: Any) -> dict[str, Any]:
    return {
        "gene_data": {"hgnc_id": hgnc_id, "gene_symbol": "PKD1"},
        "entity_type": "gene",
        "confidence_level": confidence,
        "mode_of_inheritance": "MONOALLELIC",
        "evidence": ["Expert Review Green", ""],
        **more,
    }


def panel(*genes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": 283,
        "name": "Cystic kidney disease",
        "version": "5.11",
        "version_created": "2026-01-25T20:44:54.423587Z",
        "stats": {"number_of_genes": len(genes), "number_of_strs": 1},
        "types": [{"slug": "rare-disease-100k"}],
        "genes": list(genes),
        "strs": [gene(entity_type="str")],
        "regions": [{"gene_data": None, "entity_type": "region"}],
        **more,
    }


def file_of(folder: Path, *panels: tuple[str, dict[str, Any]]) -> Path:
    path = folder / "panels.json.gz"
    lines = [json.dumps({"region": region, "panel": each}) for region, each in panels]
    path.write_bytes(b"".join(gzip.compress(f"{line}\n".encode()) for line in lines))
    return path


def found(path: Path, *genes: Gene) -> list[Any]:
    return answers(read(msgspec.to_builtins(asked(genes)), path))


def test_a_gene_has_the_panels_of_both_regions_the_best_confidence_first(tmp_path: Path) -> None:
    path = file_of(
        tmp_path,
        ("UK", panel(gene(confidence="1"), gene("HGNC:9009", "0", mode_of_inheritance=""))),
        ("AU", panel(gene(confidence="2"), gene(None), version="1.2")),
        ("UK", panel(gene(confidence="4", mode_of_inheritance=None), id=9, name="Renal")),
    )
    first, second, third = found(path, PKD1, PKD2, TTN)

    def on(region: Any, number: int, name: str, version: str, **said: Any) -> Panel:
        return Panel(region, number, name, version, evidence=["Expert Review Green"], **said)

    cystic = "Cystic kidney disease"
    assert first == PanelAppData(
        green=1,
        amber=1,
        red=1,
        panels=[
            on("UK", 9, "Renal", "5.11", confidence="green", mode_of_inheritance=None),
            on("AU", 283, cystic, "1.2", confidence="amber", mode_of_inheritance="MONOALLELIC"),
            on("UK", 283, cystic, "5.11", confidence="red", mode_of_inheritance="MONOALLELIC"),
        ],
    )
    assert (second.green, second.amber, second.red) == (0, 0, 0)
    assert [each.confidence for each in second.panels] == ["none"]
    assert second.panels[0].mode_of_inheritance is None
    assert third is None
    reading = read(msgspec.to_builtins(asked([PKD1])), path)
    # PKD2 has no rating. If no gene had one, the file would be refused.
    assert reading.counts == [Count(rows=5, genes=1)]


def test_the_best_row_of_a_super_panel_counts(tmp_path: Path) -> None:
    rows = [gene(confidence="2"), gene(mode_of_inheritance="BIALLELIC"), gene(confidence="1")]
    stats = {"number_of_genes": 2}
    whole = panel(*rows, types=[{"slug": "superpanel"}], stats=stats)
    (data,) = found(file_of(tmp_path, ("UK", whole)), PKD1)

    assert [(each.confidence, each.mode_of_inheritance) for each in data.panels] == [
        ("green", "BIALLELIC")
    ]


@pytest.mark.parametrize(
    "whole",
    [
        panel(gene(), stats={"number_of_genes": 2}),
        panel(gene(), stats={"number_of_genes": 0}),
        panel(stats={"number_of_genes": 1}, types=[{"slug": "superpanel"}]),
    ],
)
def test_a_panel_with_another_number_of_genes_is_a_bad_answer(whole: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer, match="genes"):
        decode_panel(json.dumps(whole).encode())


def test_a_panel_that_occurs_twice_makes_the_file_unusable(tmp_path: Path) -> None:
    path = file_of(tmp_path, ("UK", panel(gene())), ("UK", panel(gene(), version="5.12")))
    refused(lambda: read(msgspec.to_builtins(asked([PKD1])), path), "twice")


def test_a_file_that_is_cut_off_is_unusable(tmp_path: Path) -> None:
    path = file_of(tmp_path, ("UK", panel(gene())), ("AU", panel(gene())))
    whole = path.read_bytes()
    one = gzip.compress(f"{json.dumps({'region': 'UK', 'panel': panel(gene())})}\n".encode())
    for end in range(1, len(whole)):
        # truncated between two panels: the size in the metadata reveals it before the reader starts
        if end != len(one):
            path.write_bytes(whole[:end])
            with pytest.raises(UNUSABLE):
                found(path, PKD1)


READ = {
    *("id", "name", "version", "version_created", "types", "slug", "stats", "number_of_genes"),
    *("genes", "gene_data", "hgnc_id", "entity_type", "confidence_level", "mode_of_inheritance"),
    *("evidence", "count", "next", "results"),
}
MAY_BE_NULL = {"hgnc_id", "mode_of_inheritance", "next"}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value that is read."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            if isinstance(key, int) or key in READ:
                yield (*path, key)
                yield from places(value[key], (*path, key))


def within(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


LISTED = {name: value for name, value in panel().items() if name != "genes"}
PAGE = {"count": 1, "next": "https://x/panels/?page=2", "results": [LISTED]}
BODIES = [(decode_panel, panel(gene(), gene("HGNC:9009"))), (decode_page, PAGE)]


@pytest.mark.parametrize(("decode", "body"), BODIES, ids=["panel", "page"])
def test_a_field_that_is_missing_or_has_another_type_is_a_bad_answer(
    decode: Any, body: dict[str, Any]
) -> None:
    decode(json.dumps(body).encode())
    passed = []
    tried = 0
    for path in places(body):
        *above, last = path
        if isinstance(last, str):
            without = copy.deepcopy(body)
            del within(without, tuple(above))[last]
            tried += 1
            passed += accepted(decode, without, f"{path} left out")
        for wrong in WRONG:
            same = type(wrong) is type(within(body, path))
            if not same and not (wrong is None and last in MAY_BE_NULL):
                other = copy.deepcopy(body)
                within(other, tuple(above))[last] = wrong
                tried += 1
                passed += accepted(decode, other, f"{path} is {wrong!r}")
    assert passed == []
    assert tried > 50


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("confidence_level", "5"),
        ("confidence_level", ""),
        ("confidence_level", "green"),
        ("entity_type", "region"),
        ("gene_data", {"hgnc_id": "9008"}),
        ("gene_data", {"hgnc_id": ""}),
    ],
)
def test_an_unknown_value_is_a_bad_answer(field: str, value: Any) -> None:
    assert accepted(decode_panel, panel(gene(**{field: value})), "it") == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", "5"),
        ("version", "../5.1"),
        ("version_created", "2026-01-25"),
        ("version_created", "2026-01-25T20:44:54"),
        ("name", ""),
        ("id", -1),
    ],
)
def test_a_panel_in_an_unknown_format_is_a_bad_answer(field: str, value: Any) -> None:
    assert accepted(decode_panel, panel(**{field: value}), "it") == []


def accepted(decode: Any, body: Any, name: str) -> list[str]:
    try:
        decode(json.dumps(body).encode())
    except REFUSED:
        return []
    return [name]


def test_a_body_truncated_anywhere_is_a_bad_answer() -> None:
    for decode, body in BODIES:
        whole = json.dumps(body).encode()
        for end in range(len(whole)):
            with pytest.raises(msgspec.MsgspecError):
                decode(whole[:end])


def test_the_date_of_a_version_is_in_utc() -> None:
    listed = [
        panel(version_created="2026-06-07T08:35:15.755712+10:00"),
        panel(version_created="2026-02-27T23:34:08.655640Z"),
    ]
    page = decode_page(json.dumps({"count": 2, "next": None, "results": listed}).encode())

    assert [each.day for each in page.panels] == ["2026-06-06", "2026-02-27"]


def test_real_panels_are_read(shared_data: Path, tmp_path: Path) -> None:
    bodies = sorted((shared_data / "panelapp").glob("uk_panel_*.json"))
    panels = [("UK", json.loads(path.read_bytes())) for path in bodies]
    for path in bodies:
        decode_panel(path.read_bytes())
    path = file_of(tmp_path, *panels)
    genes = [
        Gene(1, "HGNC:565", "AP2S1"), Gene(2, "HGNC:618", "APOL1"), Gene(3, "HGNC:1884", "CFTR"),
        Gene(4, "HGNC:4851", "HTT"), Gene(5, "HGNC:12403", "TTN"),
    ]  # fmt: skip
    ap2s1, apol1, cftr, htt, ttn = found(path, *genes)

    (renal,) = ap2s1.panels
    assert (renal.panel_id, renal.panel, renal.panel_version) == (
        292,
        "Renal tubulopathies",
        "5.11",
    )
    assert renal.confidence == "green"
    assert renal.mode_of_inheritance == "MONOALLELIC, autosomal or pseudoautosomal, NOT imprinted"
    assert renal.evidence == ["Expert Review Green", "NHS GMS"]
    assert (apol1.panels[0].panel_id, apol1.panels[0].confidence) == (1571, "green")
    assert (1318, "1.3") in {(each.panel_id, each.panel_version) for each in cftr.panels}
    # the repeat of HTT on the same panel has the confidence "0"
    assert [(each.panel_id, each.confidence) for each in htt.panels] == [(180, "red")]
    assert ttn is None
    reading = read(msgspec.to_builtins(asked(genes)), path)
    assert reading.counts[0].rows == 588


def test_a_real_list_is_read(shared_data: Path) -> None:
    page = decode_page((shared_data / "panelapp" / "uk_panels.page1.2026.json").read_bytes())

    assert (page.count, page.next, len(page.panels)) == (439, 2, 100)
    assert (page.panels[0].id, page.panels[0].version) == (1207, "1.6")
    assert max(each.day for each in page.panels) == "2026-02-27"
