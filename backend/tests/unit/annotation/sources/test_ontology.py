"""The ontologies from which the terms of an organ are computed."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.annotation.sources.ontology import Ontology, read_obo, read_obographs
from app.annotation.upstream.bulk_files.lines import UnusableFile

OBO = "http://purl.obolibrary.org/obo/"

TERMS = {"HP:0000001": "All", "HP:0000077": "Kidney", "HP:0000107": "Cyst", "HP:0005562": "Cysts"}
PARENTS = {
    "HP:0000077": ["HP:0000001"],
    "HP:0000107": ["HP:0000077"],
    "HP:0005562": ["HP:0000107", "HP:0000077"],
}


def ontology(**changes: Any) -> Ontology:
    said: dict[str, Any] = {"names": TERMS, "parents": PARENTS, "replaced": {}}
    return Ontology("hp.json", **(said | changes))


def document(**changes: Any) -> dict[str, Any]:
    def node(term: str, label: str, **meta: Any) -> dict[str, Any]:
        return {"id": OBO + term, "lbl": label, "type": "CLASS", "meta": meta}

    replaced = [{"pred": f"{OBO}IAO_0100001", "val": "HP:0000107"}]
    merged = [
        {
            "pred": "http://www.geneontology.org/formats/oboInOwl#hasAlternativeId",
            "val": "HP:0000803",
        }
    ]
    graph = {
        "nodes": [
            node("HP_0000001", "All"),
            node("HP_0000107", "Renal cyst", basicPropertyValues=merged),
            node("HP_0004734", "obsolete cyst", deprecated=True, basicPropertyValues=replaced),
            node("HP_0000489", "obsolete globe", deprecated=True),
            node("UBERON_0002113", "kidney"),
            {"id": f"{OBO}BFO_0000050", "lbl": "part of", "type": "PROPERTY"},
        ],
        "edges": [
            {"sub": f"{OBO}HP_0000107", "pred": "is_a", "obj": f"{OBO}HP_0000001"},
            {"sub": f"{OBO}HP_0000001", "pred": "part_of", "obj": f"{OBO}HP_0000107"},
            {"sub": f"{OBO}UBERON_0002113", "pred": "is_a", "obj": f"{OBO}UBERON_0000062"},
        ],
        "meta": {"version": f"{OBO}hp/releases/2025-05-06/hp.json"},
    }
    return {"graphs": [graph | changes]}


def written(folder: Path, content: Any) -> Path:
    path = folder / "hp.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_terms_below_a_root_are_itself_and_all_its_descendants() -> None:
    assert ontology().below(["HP:0000107"]) == {"HP:0000107", "HP:0005562"}
    assert ontology().below(["HP:0000077", "HP:0005562"]) == TERMS.keys() - {"HP:0000001"}


def test_a_root_that_the_ontology_lacks_is_an_error() -> None:
    with pytest.raises(UnusableFile, match=r"hp\.json has no term HP:0000079"):
        ontology().below(["HP:0000077", "HP:0000079"])


def test_a_term_that_lost_its_parents_shares_no_topmost_term_with_the_roots() -> None:
    lost = ontology(names=TERMS | {"HP:0000083": "Renal insufficiency"})
    assert lost.beside(["HP:0000107"]) == TERMS.keys()


def test_an_ontology_with_a_cycle_is_an_error() -> None:
    with pytest.raises(UnusableFile, match="cycle"):
        ontology(parents=PARENTS | {"HP:0000077": ["HP:0005562"]})


@pytest.mark.parametrize("parents", [{"HP:0000107": ["HP:9999999"]}, {"HP:9": ["HP:0000001"]}])
def test_an_edge_to_a_term_that_does_not_exist_is_an_error(parents: dict[str, list[str]]) -> None:
    with pytest.raises(UnusableFile, match="does not exist"):
        ontology(parents=parents)


def test_an_obsolete_term_stands_for_its_last_successor() -> None:
    chain = {"HP:1": "HP:2", "HP:2": "HP:0000107", "HP:3": "HP:4", "HP:4": "HP:3"}
    followed = ontology(replaced=chain)
    assert followed.current("HP:1") == "HP:0000107"
    assert followed.current("HP:0000107") == "HP:0000107"
    assert followed.current("HP:3") is None
    assert followed.current("HP:5") is None


def test_obographs_are_read_with_obsolete_and_merged_terms(tmp_path: Path) -> None:
    read = read_obographs(written(tmp_path, document()), "HP")
    assert read.names == {"HP:0000001": "All", "HP:0000107": "Renal cyst"}
    assert read.below(["HP:0000001"]) == read.names.keys()
    assert read.release == "2025-05-06"
    assert read.current("HP:0004734") == "HP:0000107"
    assert read.current("HP:0000803") == "HP:0000107"
    assert read.current("HP:0000489") is None


def test_the_release_may_be_stated_as_version_info(tmp_path: Path) -> None:
    stated = {"pred": "http://www.w3.org/2002/07/owl#versionInfo", "val": "2022-10-05"}
    meta = {"basicPropertyValues": [stated]}
    assert read_obographs(written(tmp_path, document(meta=meta)), "HP").release == "2022-10-05"
    assert read_obographs(written(tmp_path, document(meta={})), "HP").release is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        json.dumps(document())[:-40],
        '{"graphs": []}',
        document(nodes=[]),
        document(nodes=[{"id": f"{OBO}HP_0000001"}], edges=[]),
        document(edges=[{"sub": f"{OBO}HP_0000107", "predicate": "is_a"}]),
        {"graphs": [{"nodes": [], "meta": {}}]},
        "[" * 100_000,
    ],
)
def test_json_that_is_not_an_ontology_is_an_error(tmp_path: Path, content: Any) -> None:
    with pytest.raises(UnusableFile):
        read_obographs(written(tmp_path, content), "HP")


OBO_TEXT = """\
format-version: 1.2
ontology: mp

[Term]
id: MP:0000001
name: mammalian phenotype

[Term]
id: MP:0005367
name: renal/urinary system phenotype
def: "a colon: and a bang ! in text" [MGI:csmith]
is_a: MP:0000001 ! mammalian phenotype

[Term]
id: MP:0003675
name: kidney cysts
alt_id: MP:0000522
is_a: MP:0005367 ! renal/urinary system phenotype
is_a: UPHENO:0000001 ! not one of MP's own

[Term]
id: MP:0000002
name: obsolete Morphology
is_obsolete: true
replaced_by: MP:0003675

[Typedef]
id: part_of
name: part of
"""


def obo(folder: Path, text: str) -> Path:
    path = folder / "MPheno_OBO.ontology"
    path.write_text(text)
    return path


def test_an_obo_file_is_read_with_obsolete_and_merged_terms(tmp_path: Path) -> None:
    read = read_obo(obo(tmp_path, OBO_TEXT), "MP")
    assert read.names["MP:0003675"] == "kidney cysts"
    assert set(read.names) == {"MP:0000001", "MP:0005367", "MP:0003675"}
    assert read.below(["MP:0005367"]) == {"MP:0005367", "MP:0003675"}
    assert read.current("MP:0000522") == "MP:0003675"
    assert read.current("MP:0000002") == "MP:0003675"


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("id: MP:0005367\n", ""),
        ("name: kidney cysts\n", ""),
        ("name: kidney cysts\n", "name: a\nname: b\n"),
        ("is_a: MP:0005367 ! renal", "is_a: ! renal"),
        ("is_a: MP:0005367", "is_a: MP:0005368"),
        ("id: MP:", "id: HP:"),
    ],
)
def test_a_damaged_obo_file_is_an_error(tmp_path: Path, line: str, instead: str) -> None:
    assert line in OBO_TEXT
    with pytest.raises(UnusableFile):
        read_obo(obo(tmp_path, OBO_TEXT.replace(line, instead)), "MP")


def test_a_truncated_obo_file_has_fewer_terms_or_is_an_error(tmp_path: Path) -> None:
    whole = read_obo(obo(tmp_path, OBO_TEXT), "MP").names | {"MP:0000002": "obsolete Morphology"}
    for end in range(len(OBO_TEXT)):
        try:
            names = read_obo(obo(tmp_path, OBO_TEXT[:end]), "MP").names
        except UnusableFile:
            continue
        assert names.items() <= whole.items()


def test_a_binary_file_is_not_an_obo_file(tmp_path: Path) -> None:
    path = tmp_path / "MPheno_OBO.ontology"
    path.write_bytes(b"[Term]\nid: MP:0000001\nname: \xff\n")
    with pytest.raises(UnusableFile, match="UTF-8"):
        read_obo(path, "MP")


def test_the_head_of_the_real_mp_is_read(shared_data: Path) -> None:
    read = read_obo(shared_data / "mgi/mp_head.2017-06-05.obo", "MP")
    assert read.names["MP:0001188"] == "hyperpigmentation"
    assert read.below(["MP:0001186"]) == {"MP:0001186", "MP:0001188", "MP:0002075"}
    assert read.current("MP:0000368") == "MP:0002075"


def test_the_kidney_branch_of_a_real_hpo_is_read(shared_data: Path) -> None:
    read = read_obographs(shared_data / "hpo/hp.toy.kidney-branch.json", "HP")
    assert read.release == "2022-10-05"
    assert read.names["HP:0012210"] == "Abnormal renal morphology"
    kidney = read.below(["HP:0000077"])
    assert {"HP:0000077", "HP:0012210", "HP:0032648"} <= kidney
    assert kidney.isdisjoint({"HP:0000079", "HP:0000014", "HP:0000805", "HP:0000005"})
    assert read.current("HP:0004735") == "HP:0012210"


def test_the_real_kidney_terms_of_2014_without_the_terms_above_them_are_refused(
    shared_data: Path,
) -> None:
    with pytest.raises(UnusableFile, match="HP:0000010 is below HP:0002719, but one of them"):
        read_obo(shared_data / "hpo/hp.2014-03-18.kidney-closure.obo", "HP")
