"""The sandbox's answers have the keys of recorded ones."""

import csv
import gzip
import io
import json
from typing import Any


def variants_of(sandbox):
    return sandbox.services["clinvar"].variants


EUTILS = {"db": "clinvar", "retmode": "json"}


def test_esummary_records(http, sandbox, shared_data):
    recorded = json.loads((shared_data / "clinvar/clinvar_esummary_rs113488022.json").read_text())
    first = variants_of(sandbox).ids_of(sandbox.catalogue.genes[0])[0]
    ids = ",".join(map(str, range(first, first + 500)))
    answer = http.post("/eutils/esummary.fcgi", data={**EUTILS, "id": ids}).json()

    assert answer.keys() == recorded.keys()
    assert answer["header"] == recorded["header"]
    shape = _shape(recorded["result"][uid] for uid in recorded["result"]["uids"])
    ours = _shape(answer["result"][uid] for uid in answer["result"]["uids"])
    # The sandbox's variants have no other names, and no frequencies.
    empty = ("/variation_set[]/aliases[]", "/variation_set[]/allele_freq_set[]")
    assert ours == {key: kinds for key, kinds in shape.items() if not key.startswith(empty)}
    one, other = answer["result"][ids.split(",")[0]], recorded["result"]["13961"]
    assert list(one) == list(other)
    assert list(one["variation_set"][0]) == list(other["variation_set"][0])


def test_esearch(http, shared_data):
    recorded = json.loads((shared_data / "clinvar/clinvar_esearch_rs113488022.json").read_text())
    params = {**EUTILS, "term": "PKD1[gene]"}
    answer = http.get("/eutils/esearch.fcgi", params=params).json()

    assert answer["header"] == recorded["header"]
    assert list(answer["esearchresult"]) == list(recorded["esearchresult"])
    assert _shape([answer["esearchresult"]]) == _shape([recorded["esearchresult"]])
    recorded_ids = [int(uid) for uid in recorded["esearchresult"]["idlist"]]
    ids = [int(uid) for uid in answer["esearchresult"]["idlist"]]
    assert recorded_ids == sorted(recorded_ids, reverse=True)
    assert ids == sorted(ids, reverse=True)


def test_einfo(http, shared_data):
    recorded = json.loads((shared_data / "clinvar/clinvar_einfo.json").read_text())

    assert _shape([http.get("/eutils/einfo.fcgi", params=EUTILS).json()]) == _shape([recorded])


def test_eutils_errors(http, shared_data):
    folder = shared_data / "eutils-errors"
    for tool, file in (("esearch", "esearch.baderror.json"), ("esummary", "esummary.error.json")):
        params = {"db": "fleegle", "retmode": "json", "term": "PKD1[gene]", "id": "1"}
        answer = http.get(f"/eutils/{tool}.fcgi", params=params)
        assert answer.status_code == 200
        assert answer.json() == json.loads((folder / file).read_text())

    quoted = [json.loads(line) for line in (folder / "quoted_a.jsonl").read_text().splitlines()]
    many = ",".join(map(str, range(1, 502)))
    answer = http.post("/eutils/esummary.fcgi", data={**EUTILS, "id": many})
    assert answer.text in [error["body"] for error in quoted if error["status"] == 200]
    answer = http.get("/eutils/esummary.fcgi", params={**EUTILS, "id": "999"})
    assert json.dumps(answer.json()["result"]["999"], separators=(",", ":")) in _reordered(quoted)


def test_hgnc_documents(http, shared_data):
    recorded = json.loads((shared_data / "hgnc/hgnc_alias_symbol_CAP2.json").read_text())
    answer = http.get("/hgnc/fetch/alias_symbol/CAP2").json()

    assert answer["responseHeader"] == recorded["responseHeader"]
    assert {**answer["response"], "docs": 0} == {**recorded["response"], "docs": 0}
    by_id = {document["hgnc_id"]: document for document in recorded["response"]["docs"]}
    for document in answer["response"]["docs"]:
        real = by_id[document["hgnc_id"]]
        for name in ("symbol", "name", "alias_symbol", "entrez_id", "ensembl_gene_id", "location"):
            assert document[name] == real[name]
        assert {name: type(value) for name, value in document.items()} == {
            name: type(real.get(name, document[name])) for name in document
        }


def test_hgnc_complete_set(http, shared_data):
    with (shared_data / "hgnc/hgnc_complete_set.head120.txt").open() as file:
        recorded = file.readline().rstrip("\n").split("\t")
        quoted = [line for line in file if '"' in line]
    lines = http.get("/hgnc-files/tsv/tsv/hgnc_complete_set.txt").text.splitlines()
    # The file's groups and RNAcentral ids had other names when it was recorded.
    renamed = {
        "gene_family": "gene_group",
        "gene_family_id": "gene_group_id",
        "rna_central_ids": "rna_central_id",
    }
    ours = lines[0].split("\t")

    assert ours[: len(recorded)] == [renamed.get(name, name) for name in recorded]
    assert quoted
    # A single locus-specific database has its name and address joined by a pipe without quotes.
    lsdb = recorded.index("lsdb")
    for line in (*quoted, *lines[1:]):
        fields = line.rstrip("\n").split("\t")
        fields[lsdb : lsdb + 1] = []
        assert all(("|" in field) == field.startswith('"') for field in fields)
    by_symbol = {row["symbol"]: row for row in csv.DictReader(lines, delimiter="\t")}
    assert by_symbol["PKD1"]["alias_symbol"] == "PBP|Pc-1"


def test_hgnc_withdrawn(http, shared_data):
    recorded = (shared_data / "hgnc/fixtures_withdrawn.txt").read_text().splitlines()
    ours = http.get("/hgnc-files/tsv/tsv/withdrawn.txt").text.splitlines()

    assert ours[0] == recorded[0]
    assert {line.split("\t")[1] for line in ours} == {line.split("\t")[1] for line in recorded}


def test_ensembl_lookup(http, shared_data):
    path = shared_data / "ensembl/ensembl_lookup_symbol_BRCA2.gene_only.json"
    recorded = json.loads(path.read_text())
    one = http.get("/ensembl/lookup/symbol/homo_sapiens/PKD1").json()
    many = http.post("/ensembl/lookup/symbol/homo_sapiens", json={"symbols": ["PKD1"]}).json()

    assert list(one) == list(recorded)
    assert _shape([one]) == _shape([recorded])
    assert many == {"PKD1": one}


def test_gene_specific_summary(http, shared_data):
    path = shared_data / "clinvar/gene_specific_summary.2021-11-07.txt"
    with path.open() as file:
        recorded = [file.readline() for _ in range(3)]
    ours = http.get("/clinvar/tab_delimited/gene_specific_summary.txt").text.splitlines()

    assert ours[0].startswith("#Overview of data in ClinVar by gene, dated ")
    assert recorded[0].startswith("#Overview of data in ClinVar by gene, dated ")
    assert ours[1] == recorded[1].rstrip("\n")
    assert {line.count("\t") for line in ours[1:]} == {recorded[2].count("\t")}


def test_variant_summary_columns(http):
    packed = http.get("/clinvar/tab_delimited/variant_summary.txt.gz").content
    lines = gzip.decompress(packed).decode().splitlines()

    assert lines[0].startswith("#AlleleID\tType\tName\tGeneID\tGeneSymbol\tHGNC_ID\t")
    assert {line.count("\t") for line in lines} == {42}


def test_gnomad_constraint_columns(http, shared_data):
    path = shared_data / "gnomad/gnomad.v4.1.1.constraint_metrics.BRCA1_OR4F5.tsv"
    with path.open() as file:
        recorded = file.readline()
    packed = http.get("/gnomad/4.1.1/constraint/gnomad.v4.1.1.constraint_metrics.tsv.bgz").content
    lines = gzip.decompress(packed).decode().splitlines(keepends=True)

    assert lines[0] == recorded
    assert {line.count("\t") for line in lines} == {112}


def test_gtex_medians_have_three_lines_before_the_first_gene(http):
    name = "GTEx_Analysis_v10_RNASeQCv2.4.2_gene_median_tpm.gct.gz"
    lines = gzip.decompress(http.get(f"/gtex/v10/rna-seq/{name}").content).decode().splitlines()

    assert lines[0] == "#1.2"
    assert lines[1] == f"{len(lines) - 3}\t68"
    assert lines[2].startswith("Name\tDescription\tAdipose_Subcutaneous\t")
    assert {line.count("\t") for line in lines[2:]} == {69}
    twins = [line.split("\t") for line in lines if "_PAR_Y\t" in line]
    assert twins
    assert {value for twin in twins for value in twin[2:]} == {"0"}


def _shape(values: Any, path: str = "") -> dict[str, set[str]]:
    """Return the types by path; elements of a list share one path."""
    shape: dict[str, set[str]] = {}
    for value in values:
        shape.setdefault(path, set()).add(type(value).__name__)
        children = (
            [(f"{path}/{key}", [child]) for key, child in value.items()]
            if isinstance(value, dict)
            else [(f"{path}[]", value)]
            if isinstance(value, list)
            else []
        )
        for name, child in children:
            for key, kinds in _shape(child, name).items():
                shape.setdefault(key, set()).update(kinds)
    return shape


def _reordered(quoted: list[dict[str, Any]]) -> list[str]:
    bodies = [error["body"] for error in quoted if error.get("fragment_of") == "result[uid]"]
    return [
        json.dumps({key: json.loads(body)[key] for key in ("uid", "error")}, separators=(",", ":"))
        for body in bodies
    ]


def test_clingens_files(http, shared_data):
    name = "Clingen-Gene-Disease-Summary-2025-01-09.share.csv"
    recorded = (shared_data / "clingen" / name).read_text().splitlines()
    ours = http.get("/clingen-search/kb/gene-validity/download").text.splitlines()
    assert [ours[0], *ours[2:6]] == [recorded[0], *recorded[2:6]]
    rows, real = ([*csv.reader(lines[6:])] for lines in (ours, recorded))
    assert {row[6] for row in rows} <= {row[6] for row in real}
    assert {row[4] for row in rows} == {row[4] for row in real}

    name = "ClinGen_gene_curation_list_GRCh38.2026-02-06.share.tsv"
    recorded = (shared_data / "clingen" / name).read_text().splitlines()
    ours = http.get("/clingen-files/ClinGen_gene_curation_list_GRCh38.tsv").text.splitlines()
    assert [ours[0], *ours[2:6]] == [recorded[0], *recorded[2:6]]
    scores, real = (
        {tuple(line.split("\t")[4:6]) for line in lines[6:]} for lines in (ours, recorded)
    )
    assert real <= scores


def test_genccs_submissions(http, shared_data):
    path = shared_data / "gencc/gencc-submissions.sgc_id-layout.share.tsv"
    answer = http.get("/gencc/download/action/submissions-export-tsv?format=new")
    recorded, ours = (
        [*csv.reader(io.StringIO(text, newline=""), delimiter="\t")]
        for text in (path.read_text(), answer.text)
    )
    assert ours[0] == recorded[0]
    assert {len(row) for row in ours} == {31}
    assert any("\n" in field for row in ours for field in row)
    terms, real = ({tuple(row[8:10]) for row in rows} for rows in (ours, recorded))
    assert real <= terms


def test_strings_files(http, shared_data):
    def served(kind):
        answer = http.get(f"/string/{kind}.v12.0/9606.{kind}.v12.0.txt.gz")
        return gzip.decompress(answer.content).decode().splitlines()

    samples = shared_data / "string"
    info = (samples / "9606.protein.info.v12.0.share.txt").read_text().splitlines()
    assert served("protein.info")[0] == info[0]
    assert {line.count("\t") for line in served("protein.info")} == {3}
    links = (samples / "9606.protein.links.v12.0.txt").read_text().splitlines()
    ours = served("protein.physical.links")
    assert ours[0] == links[0]
    pairs = {tuple(line.split(" ")) for line in ours[1:]}
    assert all((second, first, score) in pairs for first, second, score in pairs)
    aliases = {line.split("\t")[2] for line in served("protein.aliases")}
    assert "Ensembl_HGNC_hgnc_id" in aliases
