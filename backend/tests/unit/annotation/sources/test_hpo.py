"""The answers from HPO's files."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.annotation.refresh.commits import MAX_DATA_BYTES
from app.annotation.sources.answers import Gene
from app.annotation.sources.hpo.data import HpoData
from app.annotation.sources.hpo.files import read_annotations, read_diseases, read_version
from app.annotation.sources.hpo.reader import read
from app.annotation.sources.keyed import MAX_PART_BYTES
from app.annotation.upstream.bulk_files.lines import UnusableFile
from app.annotation.upstream.bulk_files.messages import Count, Reading

PKD1 = Gene(1, "HGNC:9008", "PKD1", "ENSG00000008710", "5310")
COL4A5 = Gene(2, "HGNC:2207", "COL4A5", "ENSG00000188153", "1287")
ABCA4 = Gene(3, "HGNC:34", "ABCA4", "ENSG00000198691", "24")
SILENT = Gene(4, "HGNC:1", "SILENT", None, "999")
NAMELESS = Gene(5, "HGNC:2", "NAMELESS")
GENES = [PKD1, COL4A5, ABCA4, SILENT, NAMELESS]
ROOTS = ["HP:0000077", "HP:0000079"]

OBO = "http://purl.obolibrary.org/obo/"
TERMS = {
    "HP:0000001": ("All", ()),
    "HP:0000005": ("Mode of inheritance", ("HP:0000001",)),
    "HP:0000006": ("Autosomal dominant inheritance", ("HP:0000005",)),
    "HP:0001417": ("X-linked inheritance", ("HP:0000005",)),
    "HP:0000118": ("Phenotypic abnormality", ("HP:0000001",)),
    "HP:0000077": ("Abnormality of the kidney", ("HP:0000118",)),
    "HP:0000079": ("Abnormality of the urinary system", ("HP:0000118",)),
    "HP:0000107": ("Renal cyst", ("HP:0000077",)),
    "HP:0000113": ("Polycystic kidney dysplasia", ("HP:0000107", "HP:0000118")),
    "HP:0000790": ("Hematuria", ("HP:0000079",)),
    "HP:0000822": ("Hypertension", ("HP:0000118",)),
    "HP:0001105": ("Retinal atrophy", ("HP:0000118",)),
}
HPOA = """\
#description: "HPO annotations for rare diseases"
#version: 2025-05-06
#tracker: https://github.com/obophenotype/human-phenotype-ontology/issues
#hpo-version: http://purl.obolibrary.org/obo/hp/releases/2025-05-06/hp.json
database_id	disease_name	qualifier	hpo_id	reference	evidence	onset	frequency	sex	modifier	aspect	biocuration
OMIM:173900	Polycystic kidney disease 1		HP:0000006	OMIM:173900	IEA					I	HPO:iea
OMIM:173900	Polycystic kidney disease 1		HP:0000107	OMIM:173900	IEA					P	HPO:iea
OMIM:173900	Polycystic kidney disease 1	NOT	HP:0001417	OMIM:173900	IEA					I	HPO:iea
ORPHA:730	Autosomal dominant "polycystic" kidney disease		HP:0000107	ORPHA:730	TAS		HP:0040281			P	x
OMIM:301050	Alport syndrome 1, X-linked		HP:0001417	OMIM:301050	IEA					I	HPO:iea
ORPHA:791	Retinitis pigmentosa		HP:0001105	ORPHA:791	TAS		HP:0040282			P	x
"""  # noqa: E501 - the rows are this long
ROWS = """\
ncbi_gene_id	gene_symbol	hpo_id	hpo_name	frequency	disease_id
5310	PKD1	HP:0000006	Autosomal dominant inheritance	-	OMIM:173900
5310	PKD1	HP:0000107	Renal cyst	-	OMIM:173900
NCBIGene:5310	PKD1	HP:0000113	Polycystic kidney dysplasia	12/14	OMIM:173900
5310	PKD1	HP:0000113	Polycystic kidney dysplasia	96.5%	OMIM:173900
5310	PKD1	HP:0000822	Hypertension	HP:0040281	ORPHA:730
1287	COL4A5	HP:0000790	Hematuria	0/7	OMIM:301050
24	ABCA4	HP:0001105	Retinal atrophy	HP:0040282	ORPHA:791
"""


def ontology(terms: Mapping[str, tuple[str, Sequence[str]]] = TERMS, **meta: Any) -> str:
    def address(term: str) -> str:
        return OBO + term.replace(":", "_")

    return json.dumps(
        {
            "graphs": [
                {
                    "nodes": [
                        {"id": address(term), "lbl": name, "type": "CLASS"}
                        for term, (name, _) in terms.items()
                    ],
                    "edges": [
                        {"sub": address(term), "pred": "is_a", "obj": address(parent)}
                        for term, (_, parents) in terms.items()
                        for parent in parents
                    ],
                    "meta": {"version": f"{OBO}hp/releases/2025-05-06/hp.json"} | meta,
                }
            ]
        }
    )


class Files:
    """HPO's files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hpoa, self.rows, self.ontology = HPOA, ROWS, ontology()

    def read(self, genes: Sequence[Gene] = GENES, roots: Sequence[str] = ROOTS) -> Reading:
        paths = []
        for name, text in (
            ("phenotype.hpoa", self.hpoa),
            ("genes_to_phenotype.txt", self.rows),
            ("hp.json", self.ontology),
        ):
            paths.append(self.folder / name)
            paths[-1].write_text(text)
        asked = {"genes": msgspec.to_builtins(genes), "options": {"organ_terms": roots}}
        return read(asked, *paths)

    def answers(self, **asked: Any) -> list[HpoData | str | None]:
        return [each for part in self.read(**asked).parts for each in part]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_a_gene_has_the_terms_of_its_diseases_with_their_frequencies(files: Files) -> None:
    pkd1 = files.answers()[0]
    assert isinstance(pkd1, HpoData)
    omim, orpha = pkd1.diseases
    assert (omim.disease_id, omim.disease) == ("OMIM:173900", "Polycystic kidney disease 1")
    assert omim.term_frequencies == {"HP:0000107": [], "HP:0000113": ["12/14", "96.5%"]}
    assert orpha.disease == 'Autosomal dominant "polycystic" kidney disease'
    assert orpha.term_frequencies == {"HP:0000822": ["HP:0040281"]}
    assert pkd1.terms["HP:0000822"] == "Hypertension"
    assert len(pkd1.terms) == 3


def test_modes_of_inheritance_are_kept_apart_from_the_other_terms(files: Files) -> None:
    pkd1, col4a5 = files.answers()[:2]
    assert isinstance(pkd1, HpoData)
    assert isinstance(col4a5, HpoData)
    assert pkd1.modes_of_inheritance == {"HP:0000006": "Autosomal dominant inheritance"}
    assert [disease.mode_of_inheritance_ids for disease in pkd1.diseases] == [["HP:0000006"], []]
    assert col4a5.modes_of_inheritance == {"HP:0001417": "X-linked inheritance"}


def test_the_terms_of_the_organ_are_those_below_the_roots(files: Files) -> None:
    pkd1 = files.answers()[0]
    assert isinstance(pkd1, HpoData)
    assert pkd1.organ_terms == {
        "HP:0000107": "Renal cyst",
        "HP:0000113": "Polycystic kidney dysplasia",
    }
    assert pkd1.organ_roots == ROOTS


def test_another_organ_is_another_list_of_roots(files: Files) -> None:
    pkd1, _, abca4 = files.answers(roots=["HP:0001105"])[:3]
    assert isinstance(pkd1, HpoData)
    assert isinstance(abca4, HpoData)
    assert pkd1.organ_terms == {}
    assert abca4.organ_terms == {"HP:0001105": "Retinal atrophy"}


@pytest.mark.parametrize("never", ["0/7", "0%", "0.0%", "HP:0040285"])
def test_a_term_never_seen_in_patients_is_not_a_term_of_the_organ(files: Files, never: str) -> None:
    files.rows = files.rows.replace("0/7", never)
    col4a5 = files.answers()[1]
    assert isinstance(col4a5, HpoData)
    assert col4a5.organ_terms == {}
    assert col4a5.diseases[0].term_frequencies == {"HP:0000790": [never]}


@pytest.mark.parametrize("seen", ["-", "", "1/7", "0.5%", "10/10", "HP:0040284"])
def test_a_term_that_was_seen_or_has_no_frequency_is_a_term_of_the_organ(
    files: Files, seen: str
) -> None:
    files.rows = files.rows.replace("0/7", seen)
    col4a5 = files.answers()[1]
    assert isinstance(col4a5, HpoData)
    assert col4a5.organ_terms == {"HP:0000790": "Hematuria"}


def test_a_gene_without_rows_is_absent_and_one_without_entrez_id_is_unknown(files: Files) -> None:
    silent, nameless = files.answers()[3:]
    assert silent is None
    assert nameless == "the gene has no Entrez id, by which the source identifies genes"


def test_the_release_is_the_version_and_the_sizes_are_of_all_files(files: Files) -> None:
    reading = files.read()
    assert reading.release == "2025-05-06"
    assert reading.counts == [Count(6, 3), Count(7, 3), Count(12, 3)]


def test_a_file_without_data_about_a_gene_has_fewer_genes(files: Files) -> None:
    files.ontology = ontology({key: said for key, said in TERMS.items() if key != "HP:0001105"})
    assert [count.genes for count in files.read().counts] == [3, 3, 2]


def test_an_obsolete_term_is_replaced_by_its_successor(files: Files) -> None:
    graph = json.loads(files.ontology)
    replaced = [{"pred": f"{OBO}IAO_0100001", "val": "HP:0000107"}]
    meta = {"deprecated": True, "basicPropertyValues": replaced}
    graph["graphs"][0]["nodes"].append(
        {"id": f"{OBO}HP_0004734", "lbl": "obsolete Renal cortical cysts", "meta": meta}
    )
    files.ontology = json.dumps(graph)
    files.rows = files.rows.replace("HP:0000790\tHematuria", "HP:0004734\tRenal cortical cysts")
    files.rows = files.rows.replace("0/7", "2/7")
    col4a5 = files.answers()[1]
    assert isinstance(col4a5, HpoData)
    assert col4a5.organ_terms == {"HP:0000107": "Renal cyst"}
    assert col4a5.diseases[0].term_frequencies == {"HP:0000107": ["2/7"]}


@pytest.mark.parametrize("without", ["HP:0000790", "HP:0001417"])
def test_a_gene_with_a_term_that_the_ontology_lacks_is_unknown(files: Files, without: str) -> None:
    files.ontology = ontology({term: said for term, said in TERMS.items() if term != without})
    pkd1, col4a5 = files.answers()[:2]
    assert isinstance(pkd1, HpoData)
    assert isinstance(col4a5, str)
    assert without in col4a5


def test_a_gene_with_a_term_that_has_lost_its_parents_is_unknown(files: Files) -> None:
    files.ontology = ontology(TERMS | {"HP:0000790": ("Hematuria", ())})
    assert isinstance(files.answers()[1], str)


def test_an_ontology_without_edges_is_refused(files: Files) -> None:
    files.ontology = files.ontology.replace('"is_a"', '"subClassOf"')
    with pytest.raises(UnusableFile, match="has no term with a parent"):
        files.read()


@pytest.mark.parametrize("root", [*ROOTS, "HP:0000005"])
def test_an_ontology_without_a_root_is_refused(files: Files, root: str) -> None:
    graph = {term: said for term, said in TERMS.items() if term != root}
    files.ontology = ontology(
        {
            term: (name, ["HP:0000001" if each == root else each for each in parents])
            for term, (name, parents) in graph.items()
        }
    )
    with pytest.raises(UnusableFile, match=root):
        files.read()


def test_an_ontology_of_another_release_is_refused(files: Files) -> None:
    files.ontology = ontology(version=f"{OBO}hp/releases/2025-10-22/hp.json")
    with pytest.raises(UnusableFile, match=r"of 2025-05-06, and hp\.json is of 2025-10-22"):
        files.read()


def test_an_ontology_without_a_release_is_refused(files: Files) -> None:
    files.ontology = ontology(version=None)
    with pytest.raises(UnusableFile, match="a day that it does not state"):
        files.read()


@pytest.mark.parametrize("line", ["#version: 2025-05-06\n", "#hpo-version:"])
def test_annotations_without_a_version_are_refused(files: Files, line: str) -> None:
    files.hpoa = files.hpoa.replace(line, "#other\n" if line.endswith("\n") else "#other:")
    with pytest.raises(UnusableFile, match="does not state its"):
        files.read()


def test_a_file_of_diseases_that_lacks_those_of_the_genes_is_refused(files: Files) -> None:
    files.hpoa = files.hpoa.replace("ORPHA:791", "ORPHA:792")
    with pytest.raises(UnusableFile, match="lacks 1 of 4 diseases"):
        files.read()


def test_a_single_disease_that_is_not_described_has_no_name_and_no_inheritance(
    files: Files,
) -> None:
    more = "".join(
        f"OMIM:{number}\tDisease\t\tHP:0000107\tx\tIEA\t\t\t\t\tP\tx\n" for number in range(40)
    )
    files.hpoa = files.hpoa.replace("ORPHA:791\t", "ORPHA:792\t") + more
    files.rows += "".join(f"77\tX\tHP:0000107\tx\t-\tOMIM:{number}\n" for number in range(40))
    abca4 = files.answers()[2]
    assert isinstance(abca4, HpoData)
    assert [(each.disease, each.mode_of_inheritance_ids) for each in abca4.diseases] == [
        (None, None)
    ]


@pytest.mark.parametrize("column", ["ncbi_gene_id", "hpo_id", "frequency", "disease_id"])
def test_a_missing_column_of_the_genes_table_is_refused(files: Files, column: str) -> None:
    files.rows = files.rows.replace(column, f"renamed_{column}", 1)
    with pytest.raises(UnusableFile, match=f"no column {column}"):
        files.read()


@pytest.mark.parametrize("column", ["database_id", "disease_name", "qualifier", "hpo_id", "aspect"])
def test_a_missing_column_of_the_diseases_table_is_refused(files: Files, column: str) -> None:
    files.hpoa = files.hpoa.replace(column, f"renamed_{column}", 1)
    with pytest.raises(UnusableFile, match=f"no column {column}"):
        files.read()


@pytest.mark.parametrize(
    ("value", "instead"),
    [
        ("24\tABCA4", "ABCA4\tABCA4"),
        ("24\tABCA4", "\tABCA4"),
        ("24\tABCA4", "0\tABCA4"),
        ("HP:0001105", "HP:1105"),
        ("HP:0001105", ""),
        ("HP:0040282", "often"),
        ("HP:0040282", "0"),
        ("HP:0040282", "1/x"),
        ("ORPHA:791", "791"),
        ("\tORPHA:791", ""),
        ("ORPHA:791", "ORPHA:791\tmore"),
    ],
)
def test_a_row_of_the_genes_table_that_cannot_be_read_is_refused(
    files: Files, value: str, instead: str
) -> None:
    assert value in files.rows
    files.rows = files.rows.replace(value, instead)
    with pytest.raises(UnusableFile, match=r"genes_to_phenotype\.txt, line 8"):
        files.read()


@pytest.mark.parametrize(
    ("value", "instead"),
    [
        ("ORPHA:791\tRet", "791\tRet"),
        ("Retinitis pigmentosa", ""),
        ("\t\tHP:0001105", "\tnot\tHP:0001105"),
        ("HP:0001105", ""),
        ("\tP\tx\n", "\t\tx\n"),
        ("\tP\tx\n", "\tx\n"),
    ],
)
def test_a_row_of_the_diseases_table_that_cannot_be_read_is_refused(
    files: Files, value: str, instead: str
) -> None:
    head, found, tail = files.hpoa.rpartition(value)
    assert found
    files.hpoa = head + instead + tail
    with pytest.raises(UnusableFile, match=r"phenotype\.hpoa, line 11"):
        files.read()


def test_a_truncated_file_is_refused_or_has_fewer_rows(files: Files) -> None:
    whole = files.read().counts
    for end in range(len(ROWS)):
        files.rows = ROWS[:end]
        try:
            cut = files.read()
        except UnusableFile:
            continue
        assert cut.counts[1].rows < whole[1].rows
    files.rows = ROWS
    for end in range(len(HPOA)):
        files.hpoa = HPOA[:end]
        try:
            cut = files.read()
        except UnusableFile:
            continue
        assert cut.counts[0].rows < whole[0].rows or HPOA[end:] in {"x\n", "\n"}


def test_a_row_truncated_in_its_last_field_is_refused(files: Files) -> None:
    files.rows = ROWS.removesuffix("1\n")
    with pytest.raises(UnusableFile, match="cut short within its last line"):
        files.read()


def test_the_table_in_the_layout_until_2022_is_read(tmp_path: Path) -> None:
    path = tmp_path / "genes_to_phenotype.txt"
    header = "#Format: entrez-gene-id<tab>entrez-gene-symbol<tab>HPO-Term-Name<tab>HPO-Term-ID\n"
    rows = [
        "8192\tCLPP\tHP:0000252\tMicrocephaly\t\tHP:0040283\t-\tmim2gene\tOMIM:614129",
        "7157\tTP53\tHP:0003002\tBreast carcinoma\tnull\t\t\torphadata\tORPHA:145",
        "7157\tTP53\tHP:0006744\tAdrenocortical carcinoma\t3/8\t\t-\tmim2gene\tOMIM:151623",
    ]
    path.write_text(header + "\n".join(rows) + "\n")
    assert [each.frequency for each in read_annotations(path)] == ["HP:0040283", None, "3/8"]
    path.write_text(header + "\n".join(rows).replace("\tmim2gene", "") + "\n")
    with pytest.raises(UnusableFile, match="8 of 9 fields"):
        list(read_annotations(path))


def test_the_real_rows_of_the_present_layout_are_read(shared_data: Path) -> None:
    path = shared_data / "hpo/genes_to_phenotype.current-layout.4rows.txt"
    assert list(read_annotations(path)) == [
        ("22", "HP:0002463", "OMIM:301310", "3/3"),
        ("22", "HP:0002470", "OMIM:301310", "11/11"),
        ("24", "HP:0001133", "OMIM:601718", None),
        ("24", "HP:0001105", "ORPHA:791", "HP:0040282"),
    ]


def test_the_real_rows_of_the_layout_until_2022_are_read(shared_data: Path) -> None:
    path = shared_data / "hpo/genes_to_phenotype.old-layout.head200.txt"
    rows = list(read_annotations(path))
    assert len(rows) == 199
    assert rows[0] == ("8192", "HP:0000007", "OMIM:614129", None)
    assert ("8192", "HP:0000252", "OMIM:614129", "HP:0040283") in rows


def test_the_real_diseases_are_read(shared_data: Path) -> None:
    path = shared_data / "hpo/phenotype.2025-05-06.ABCB7_ABCA4.hpoa"
    found, rows = read_diseases(path)
    assert read_version(path) == ("2025-05-06", "2025-05-06")
    assert rows == len(path.read_text().splitlines()) - 5
    assert found["OMIM:301310"].name == "Anemia, sideroblastic, and spinocerebellar ataxia"
    assert {key: each.inheritance for key, each in found.items()} == {
        "OMIM:301310": {"HP:0001419"},
        "OMIM:601718": {"HP:0000007"},
        "ORPHA:791": set(),
    }


def test_the_real_diseases_of_2021_are_read_without_negated_modes_of_inheritance(
    shared_data: Path,
) -> None:
    path = shared_data / "hpo/phenotype.2021-08-02.excerpt.hpoa"
    found, _ = read_diseases(path)
    assert read_version(path) == ("2021-08-02", "2021-08-02")
    assert found["OMIM:154700"].name == "Marfan syndrome"
    assert found["OMIM:154700"].inheritance == {"HP:0000006"}
    assert found["OMIM:540000"].inheritance == {"HP:0001427"}


def test_data_with_more_terms_than_any_real_gene_can_be_stored(files: Files) -> None:
    """The gene with the most annotations, LMNA, has about 1,000."""
    name = "Abnormal thing of some part of the body"
    more = {f"HP:1{number:06d}": (f"{name} {number}", ["HP:0000077"]) for number in range(550)}
    files.ontology = ontology(TERMS | more)
    files.rows += "".join(
        f"1287\tCOL4A5\t{term}\tx\tHP:0040282\t{disease}\n"
        for term in more
        for disease in ("OMIM:301050", "ORPHA:730")
    )
    col4a5 = files.answers()[1]
    assert isinstance(col4a5, HpoData)
    assert len(col4a5.organ_terms) == len(more)
    assert len(msgspec.json.encode(col4a5)) < MAX_DATA_BYTES


def test_many_long_answers_are_split_into_lists_that_are_stored_quickly(files: Files) -> None:
    more = {f"HP:1{number:06d}": (f"Term {number}", ["HP:0000077"]) for number in range(200)}
    files.ontology = ontology(TERMS | more)
    genes = [
        Gene(number, f"HGNC:{number}", f"G{number}", None, str(number)) for number in range(1, 90)
    ]
    files.rows += "".join(
        f"{gene.entrez_id}\t{gene.symbol}\t{term}\tx\t-\tORPHA:730\n"
        for gene in genes
        for term in more
    )
    parts = list(files.read(genes=genes).parts)
    assert sum(map(len, parts)) == len(genes)
    assert max(len(msgspec.json.encode(part)) for part in parts) <= MAX_PART_BYTES * 1.01
