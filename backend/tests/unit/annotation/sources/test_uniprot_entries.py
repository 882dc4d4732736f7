"""The answers from UniProt's rows, including wrong ones."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.annotation.sources.answers import Gene
from app.annotation.sources.uniprot.data import Disease, Domain, Protein, UniProtData
from app.annotation.sources.uniprot.entries import COLUMNS, read_entry
from app.annotation.sources.uniprot.reader import read
from app.annotation.upstream.bulk_files.lines import UnusableFile
from app.annotation.upstream.bulk_files.messages import Count

PDHX = {
    "Entry": "O00330",
    "Entry Name": "ODPX_HUMAN",
    "Protein names": "Pyruvate dehydrogenase protein X component, mitochondrial (E3BP) (Lip(+))",
    "Gene Names": "PDHX PDX1",
    "Function [CC]": "FUNCTION: Required for anchoring (PubMed:1). It binds."
    " {ECO:0000269|PubMed:1}.; FUNCTION: [Isoform 2]: Slower. {ECO:0000305}.",
    "Domain [FT]": 'DOMAIN 56..132; /note="Lipoyl-binding"; /evidence="ECO:0000255|PROSITE:1";'
    ' DOMAIN <140..>152; /note="PSBD ""X"""; DOMAIN 200',
    "Subcellular location [CC]": "SUBCELLULAR LOCATION: Cell membrane {ECO:0000269|PubMed:1,"
    " ECO:0000305}; Multi-pass membrane protein {ECO:0000255}. Mitochondrion matrix {ECO:1}."
    " Note=Moves. It is free. {ECO:0000269|PubMed:2}.; SUBCELLULAR LOCATION: [Isoform 2]: Nucleus"
    " {ECO:0000305}. Mitochondrion matrix.",
    "Involvement in disease": "DISEASE: Pyruvate dehydrogenase E3-binding protein deficiency"
    " (PDHXD) [MIM:245349]: A metabolic disorder. Seen (rarely). {ECO:0000269|PubMed:9399911}."
    " Note=The disease is caused by variants affecting the gene represented in this entry.;"
    " DISEASE: Note=May play a role. {ECO:0000305}.",
    "Length": "501",
    "HGNC": "HGNC:21350;",
    "Reviewed": "reviewed",
}


def entry(**changed: str) -> Protein:
    return read_entry(tuple({**PDHX, **changed}[name] for name in COLUMNS))


def test_an_entry_is_read_without_its_evidence_tags() -> None:
    assert entry() == Protein(
        accession="O00330",
        entry_name="ODPX_HUMAN",
        protein_name=PDHX["Protein names"],
        gene_names=["PDHX", "PDX1"],
        hgnc_ids=["HGNC:21350"],
        length=501,
        functions=["Required for anchoring (PubMed:1). It binds.", "[Isoform 2]: Slower."],
        domains=[
            Domain("Lipoyl-binding", 56, 132),
            Domain('PSBD "X"', None, None),
            Domain(None, 200, 200),
        ],
        subcellular_locations=["Cell membrane", "Mitochondrion matrix", "Nucleus"],
        diseases=[
            Disease(
                "Pyruvate dehydrogenase E3-binding protein deficiency",
                "PDHXD",
                "OMIM:245349",
                "A metabolic disorder. Seen (rarely). Note=The disease is caused by variants"
                " affecting the gene represented in this entry.",
            ),
            Disease(None, None, None, "May play a role."),
        ],
    )


def test_empty_columns_give_no_data() -> None:
    empty = dict.fromkeys(COLUMNS[4:8], "")
    found = entry(**empty, HGNC="", **{"Gene Names": ""})

    assert found.functions == found.domains == found.diseases == found.gene_names == []
    assert found.subcellular_locations == found.hgnc_ids == []


def test_an_entry_of_several_genes_names_each_of_them_once() -> None:
    found = entry(HGNC="HGNC:4781;HGNC:4782;HGNC:4781;", **{"Gene Names": "H4C1 H4/A; H4C2"})

    assert found.hgnc_ids == ["HGNC:4781", "HGNC:4782"]
    assert found.gene_names == ["H4C1", "H4/A", "H4C2"]


def test_long_texts_are_truncated_at_the_documented_length() -> None:
    text = "x" * 5_000
    found = entry(
        **{
            "Function [CC]": f"FUNCTION: {text}",
            "Involvement in disease": f"DISEASE: A disease (AD) [MIM:1]: {text}",
        }
    )

    assert found.functions == ["x" * 3_999 + "…"]
    assert found.diseases[0].text == "x" * 1_999 + "…"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Entry", ""),
        ("Entry", "P0433"),
        ("Entry", "HGNC:1"),
        ("Entry Name", ""),
        ("Protein names", ""),
        ("Function [CC]", "Required for anchoring."),
        ("Function [CC]", "501"),
        ("Domain [FT]", 'REGION 56..132; /note="Lipoyl-binding"'),
        ("Domain [FT]", 'DOMAIN 56..132; /note="Lipoyl-bind'),
        ("Domain [FT]", 'DOMAIN x..132; /note="Lipoyl-binding"'),
        ("Domain [FT]", 'DOMAIN 56..132; /note="A"; 5'),
        ("Subcellular location [CC]", "Nucleus"),
        ("Involvement in disease", "A disease (AD) [MIM:1]: x"),
        ("Length", ""),
        ("Length", "0"),
        ("Length", "501.0"),
        ("Length", "long"),
        ("HGNC", "HGNC:21350"),
        ("HGNC", "HGNC:213"),
        ("HGNC", "21350;"),
        ("HGNC", "HGNC:21350;NaN:,]}"),
        ("HGNC", "PDHX"),
        ("Reviewed", "unreviewed"),
        ("Reviewed", "review"),
        ("Reviewed", ""),
    ],
)
def test_a_column_in_an_unknown_format_is_unusable(column: str, value: str) -> None:
    with pytest.raises(UnusableFile):
        entry(**{column: value})


def written(path: Path, rows: list[dict[str, str]], columns: tuple[str, ...] = COLUMNS) -> Path:
    lines = ["\t".join(columns), *("\t".join(row[name] for name in columns) for row in rows)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def answers(path: Path, *genes: Gene) -> tuple[list[Any], Any]:
    found = read(msgspec.to_builtins({"genes": list(genes)}), path)
    return [each for part in found.parts for each in part], found.counts


PDHX_GENE = Gene(1, "HGNC:21350", "PDHX")
OTHER = Gene(2, "HGNC:1", "OTHER")
NOBODY = Gene(3, "HGNC:2", "NOBODY")


def test_the_longest_entry_of_a_gene_is_the_first_one(tmp_path: Path) -> None:
    rows = [
        {**PDHX, "Entry": "Q00001", "Length": "90"},
        {**PDHX, "Entry": "Q00003"},
        {**PDHX, "Entry": "Q00002", "HGNC": "HGNC:1;HGNC:21350;"},
        {**PDHX, "Entry": "Q00004", "HGNC": ""},
    ]
    found, counts = answers(written(tmp_path / "x.tsv", rows), PDHX_GENE, NOBODY, OTHER)

    assert isinstance(found[0], UniProtData)
    assert [each.accession for each in found[0].entries] == ["Q00002", "Q00003", "Q00001"]
    assert found[1] is None
    assert [each.accession for each in found[2].entries] == ["Q00002"]
    assert counts == [Count(rows=4, genes=2)]


def test_an_entry_that_occurs_twice_makes_the_file_unusable(tmp_path: Path) -> None:
    with pytest.raises(UnusableFile, match="O00330 twice"):
        answers(written(tmp_path / "x.tsv", [PDHX, PDHX]), PDHX_GENE)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_that_is_missing_makes_the_file_unusable(tmp_path: Path, column: str) -> None:
    others = tuple(name for name in COLUMNS if name != column)
    with pytest.raises(UnusableFile, match="has no column"):
        answers(written(tmp_path / "x.tsv", [PDHX], others), PDHX_GENE)


def test_the_texts_of_real_entries_lose_their_evidence_and_nothing_else(shared_data: Path) -> None:
    path = shared_data / "uniprot" / "uniprotkb_human_reviewed_search.share.tsv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    found = {}
    for line in lines:
        real = dict(zip(header.split("\t"), line.split("\t"), strict=True))
        names = ("Entry", "Protein names", "Gene Names", "Function [CC]")
        row = {**PDHX, **{name: real[name] for name in names}, "Length": str(len(real["Sequence"]))}
        found[real["Entry"]] = read_entry(tuple(row[name] for name in COLUMNS))

    assert len(found) == 24
    assert found["A0A1B0GTW7"].functions == [
        "Putative metalloproteinase that plays a role in left-right patterning process."
    ]
    assert found["A0A1B0GTW7"].gene_names == ["CIROP", "LMLN2"]
    assert found["O00165"].length == 279
    assert found["O00400"].functions[0].startswith("Acetyl-CoA transporter that mediates active")
    assert (
        found["O00400"]
        .functions[0]
        .endswith("Necessary for O-acetylation of gangliosides (PubMed:9096318).")
    )
    assert found["O43868"].protein_name.startswith("Sodium/nucleoside cotransporter 2 (Concentra")
    assert not any("ECO:" in text for each in found.values() for text in each.functions)


def test_real_entries_have_the_form_of_accessions_and_ids(shared_data: Path) -> None:
    for name, hgnc_id, length in (("P27348", "HGNC:12854", 245), ("Q4AC99", "HGNC:34391", 568)):
        body = (shared_data / "uniprot" / f"entry_{name}.json").read_bytes()
        real = msgspec.json.decode(body)
        ids = [x["id"] for x in real["uniProtKBCrossReferences"] if x["database"] == "HGNC"]
        row = {
            **PDHX,
            "Entry": real["primaryAccession"],
            "Entry Name": real["uniProtkbId"],
            "Length": str(real["sequence"]["length"]),
            "HGNC": "".join(f"{each};" for each in ids),
        }
        found = read_entry(tuple(row[column] for column in COLUMNS))
        assert (found.accession, found.hgnc_ids, found.length) == (name, [hgnc_id], length)
