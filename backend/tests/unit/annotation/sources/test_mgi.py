"""The answers from MGI's reports."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.annotation.sources.answers import Gene
from app.annotation.sources.mgi.data import MgiData, MgiOrtholog
from app.annotation.sources.mgi.files import read_genotypes, read_orthologs
from app.annotation.sources.mgi.reader import read
from app.annotation.upstream.bulk_files.lines import UnusableFile
from app.annotation.upstream.bulk_files.messages import Count, Reading

PKD1 = Gene(1, "HGNC:9008", "PKD1", "ENSG00000008710", "5310")
APOL1 = Gene(2, "HGNC:618", "APOL1", "ENSG00000100342", "8542")
ACOT9 = Gene(3, "HGNC:17152", "ACOT9", "ENSG00000123130", "23597")
SILENT = Gene(4, "HGNC:1", "SILENT", None, "999")
NAMELESS = Gene(5, "HGNC:2", "NAMELESS")
GENES = [PKD1, APOL1, ACOT9, SILENT, NAMELESS]
ROOTS = ["MP:0005367"]

ORTHOLOGS = """\
PKD1	5310	Pkd1	MGI:97603	MP:0005367, MP:0010768	
APOL1	8542	Apol10b	MGI:3043522	MP:0005387	
APOL1	8542	Apol7a	MGI:1923011		
ACOT9	23597	Acot10	MGI:1928940		
OTHER	77	Other	MGI:77	MP:0005387	
"""  # noqa: W291 - a tab follows the last field
MUTANTS = """\
Pkd1<tm1>/Pkd1<tm1>	Pkd1<tm1>	MGI:1857242	involves: 129S2/SvPas	MP:0003675	12529408	MGI:97603	MGI:2166359
Pkd1<tm1>/Pkd1<+>	Pkd1<tm1>|Pkd1<+>	MGI:1857242	involves: 129S2/SvPas	MP:0000519	1|2	MGI:97603	MGI:2166360
Pkd1<tm1>/Pkd1<tm1>	Pkd1<tm1>	MGI:1857242	involves: 129S2/SvPas	MP:0010770		MGI:97603	MGI:2166359
A<1>/A<1> B<1>/B<1>	A<1>|B<1>	MGI:5|MGI:6	C57BL/6	MP:0003675	9	MGI:1928940|MGI:77	MGI:8
Other<tm1>/Other<tm1>	Other<tm1>	MGI:9	C57BL/6	MP:0003675	9	MGI:77	MGI:10
"""  # noqa: E501 - the rows are this long
ONTOLOGY = """\
format-version: 1.2

[Term]
id: MP:0000001
name: mammalian phenotype

[Term]
id: MP:0005367
name: renal/urinary system phenotype
is_a: MP:0000001

[Term]
id: MP:0005387
name: immune system phenotype
is_a: MP:0000001

[Term]
id: MP:0010768
name: mortality/aging
is_a: MP:0000001

[Term]
id: MP:0003675
name: kidney cyst
is_a: MP:0005367

[Term]
id: MP:0010770
name: preweaning lethality
is_a: MP:0010768

[Term]
id: MP:0002135
name: abnormal kidney morphology
is_a: MP:0005367

[Term]
id: MP:0000519
name: obsolete hydronephrosis
is_obsolete: true
replaced_by: MP:0002135

"""


class Files:
    """MGI's files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.orthologs, self.mutants, self.ontology = ORTHOLOGS, MUTANTS, ONTOLOGY

    def read(self, genes: Sequence[Gene] = GENES, roots: Sequence[str] = ROOTS) -> Reading:
        paths = []
        for name, text in (
            ("HMD_HumanPhenotype.rpt", self.orthologs),
            ("MGI_GenePheno.rpt", self.mutants),
            ("MPheno_OBO.ontology", self.ontology),
        ):
            paths.append(self.folder / name)
            paths[-1].write_text(text)
        asked = {"genes": msgspec.to_builtins(genes), "options": {"organ_terms": roots}}
        return read(asked, *paths)

    def answers(self, **asked: Any) -> list[MgiData | str | None]:
        return [each for part in self.read(**asked).parts for each in part]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_a_gene_has_the_topmost_phenotypes_and_the_terms_of_the_organ(files: Files) -> None:
    pkd1 = files.answers()[0]
    assert pkd1 == MgiData(
        orthologs=[MgiOrtholog("MGI:97603", "Pkd1")],
        phenotypes={
            "MP:0005367": "renal/urinary system phenotype",
            "MP:0010768": "mortality/aging",
        },
        organ_phenotype=True,
        organ_terms={"MP:0002135": "abnormal kidney morphology", "MP:0003675": "kidney cyst"},
        organ_roots=ROOTS,
    )


def test_the_rows_of_a_gene_with_several_orthologs_are_combined(files: Files) -> None:
    apol1 = files.answers()[1]
    assert isinstance(apol1, MgiData)
    assert [each.symbol for each in apol1.orthologs] == ["Apol7a", "Apol10b"]
    assert apol1.phenotypes == {"MP:0005387": "immune system phenotype"}
    assert not apol1.organ_phenotype


def test_a_mutant_of_several_genes_is_ignored(files: Files) -> None:
    acot9 = files.answers()[2]
    assert isinstance(acot9, MgiData)
    assert (acot9.phenotypes, acot9.organ_terms, acot9.organ_phenotype) == ({}, {}, False)


def test_a_gene_with_only_one_of_the_two_kinds_of_phenotypes_has_one_of_the_organ(
    files: Files,
) -> None:
    files.mutants = MUTANTS.replace("MGI:97603", "MGI:7")
    pkd1 = files.answers()[0]
    assert isinstance(pkd1, MgiData)
    assert (pkd1.organ_terms, pkd1.organ_phenotype) == ({}, True)
    files.mutants, files.orthologs = MUTANTS, ORTHOLOGS.replace("MP:0005367, ", "")
    pkd1 = files.answers()[0]
    assert isinstance(pkd1, MgiData)
    assert pkd1.organ_phenotype


def test_another_organ_is_another_list_of_roots(files: Files) -> None:
    pkd1, apol1 = files.answers(roots=["MP:0005387"])[:2]
    assert isinstance(pkd1, MgiData)
    assert isinstance(apol1, MgiData)
    assert (pkd1.organ_phenotype, apol1.organ_phenotype) == (False, True)


def test_a_gene_without_ortholog_is_absent_and_one_without_entrez_id_is_unknown(
    files: Files,
) -> None:
    assert files.answers()[3:] == [
        None,
        "the gene has no Entrez id, by which the source identifies genes",
    ]


def test_the_sizes_are_of_all_files(files: Files) -> None:
    assert files.read().counts == [Count(5, 4), Count(5, 2), Count(7, 3)]


@pytest.mark.parametrize("without", ["MP:0003675", "MP:0010768"])
def test_a_gene_with_a_term_that_the_ontology_lacks_is_unknown(files: Files, without: str) -> None:
    kept = [each for each in ONTOLOGY.split("\n\n") if f"id: {without}" not in each]
    files.ontology = "\n\n".join(kept).replace("is_a: MP:0010768", "is_a: MP:0000001") + "\n"
    pkd1, apol1 = files.answers()[:2]
    assert pkd1 == f"the gene has the term {without}, which the ontology does not define"
    assert isinstance(apol1, MgiData)


@pytest.mark.parametrize("line", ["id: MP:0005367\n", "is_a: ", "[Term]\nid: MP:0005367"])
def test_a_damaged_ontology_is_refused(files: Files, line: str) -> None:
    assert line in ONTOLOGY
    files.ontology = ONTOLOGY.replace(line, f"renamed_{line}")
    with pytest.raises(UnusableFile):
        files.read()


def test_an_ontology_without_the_organ_is_refused(files: Files) -> None:
    with pytest.raises(UnusableFile, match="has no term MP:0000099"):
        files.read(roots=["MP:0000099"])


def test_a_missing_field_is_refused(files: Files) -> None:
    for text, name in ((ORTHOLOGS, "orthologs"), (MUTANTS, "mutants")):
        rows = [line.split("\t") for line in text.splitlines()]
        for place in range(len(rows[0])):
            changed = ["\t".join(row[:place] + row[place + 1 :]) for row in rows]
            setattr(files, name, "\n".join(changed) + "\n")
            with pytest.raises(UnusableFile, match="line 1 has another layout"):
                files.read()
        setattr(files, name, text)


@pytest.mark.parametrize(
    ("place", "values"),
    [
        (0, [""]),
        (1, ["", "PKD1", "0", "NCBIGene:5310", "5310.0"]),
        (2, [""]),
        (3, ["", "97603", "MGI:", "MP:0005367"]),
        (4, ["0", "MP:5367", "MP:0005367,MP:0010768", "MP:0005367 MP:0010768", "HP:0000077"]),
        (5, ["x"]),
    ],
)
def test_a_wrong_field_of_an_ortholog_is_refused(
    files: Files, place: int, values: list[str]
) -> None:
    for value in values:
        first, *rest = ORTHOLOGS.splitlines(keepends=True)
        fields = first.rstrip("\n").split("\t")
        fields[place] = value
        files.orthologs = "\t".join(fields) + "\n" + "".join(rest)
        with pytest.raises(UnusableFile, match="line 1 has another layout"):
            files.read()


@pytest.mark.parametrize(
    ("place", "values"),
    [
        (4, ["", "0", "MP:3675", "12529408"]),
        (5, ["MGI:97603", "none"]),
        (6, ["", "97603", "Pkd1", "MGI:97603;MGI:1", "12529408"]),
        (7, ["", "2166359", "12529408"]),
    ],
)
def test_a_wrong_field_of_a_mutant_is_refused(files: Files, place: int, values: list[str]) -> None:
    for value in values:
        first, *rest = MUTANTS.splitlines(keepends=True)
        fields = first.rstrip("\n").split("\t")
        fields[place] = value
        files.mutants = "\t".join(fields) + "\n" + "".join(rest)
        with pytest.raises(UnusableFile, match="line 1 has another layout"):
            files.read()


@pytest.mark.parametrize(
    "row",
    [
        "PKD1\t5310\t250\tyes\tPkd1\tMGI:97603\tMP:0005367",
        "PKD1\t5310\t250\tPkd1\tMGI:97603\tMP:0005367\t",
        "PKD1\t5310\tPkd1\tMGI:97603\tMP:0005367",
        "<html>",
    ],
)
def test_the_layouts_of_earlier_years_are_refused(files: Files, row: str) -> None:
    files.orthologs = row + "\n"
    with pytest.raises(UnusableFile, match="another layout"):
        files.read()


def test_a_truncated_file_is_refused_or_has_fewer_rows(files: Files) -> None:
    whole = files.read().counts
    for end in range(len(ORTHOLOGS) - 1):
        files.orthologs = ORTHOLOGS[:end]
        try:
            cut = files.read()
        except UnusableFile:
            continue
        assert cut.counts[0].rows < whole[0].rows
    files.orthologs = ORTHOLOGS
    right = files.answers()
    for end in range(len(MUTANTS)):
        files.mutants = MUTANTS[:end]
        try:
            cut = files.read()
        except UnusableFile:
            continue
        said = [each for part in cut.parts for each in part]
        assert cut.counts[1].rows < whole[1].rows or said == right


def test_the_real_orthologs_are_read(shared_data: Path) -> None:
    rows = list(read_orthologs(shared_data / "mgi/HMD_HumanPhenotype.2026-05.share.rpt"))
    assert len(rows) == 398
    by_gene: dict[str, list[str]] = {}
    for row in rows:
        by_gene.setdefault(row.gene, []).append(row.symbol)
    assert ("189", "MGI:1329033", "Agxt", ("MP:0005367", "MP:0005376")) in rows
    assert ("23597", "MGI:1928940", "Acot10", ()) in rows
    assert len(by_gene["8542"]) == 11
    (pkd1,) = [row for row in rows if row.gene == "5310"]
    assert pkd1.symbol == "Pkd1"
    assert "MP:0005367" in pkd1.terms
    assert len(pkd1.terms) == 22
    assert sum("MP:0005367" in row.terms for row in rows) == 52


def test_the_real_mutants_are_read(shared_data: Path) -> None:
    rows = list(read_genotypes(shared_data / "mgi/MGI_GenePheno.excerpt-a.rpt"))
    assert len(rows) == 20
    assert rows[0] == ("MP:0000600", "MGI:97874")
    assert rows[4] == ("MP:0000372", "MGI:96677")
    assert rows[9] == ("MP:0001577", "MGI:96974")


def test_the_real_report_of_another_layout_is_refused(shared_data: Path) -> None:
    with pytest.raises(UnusableFile, match="another layout"):
        list(read_orthologs(shared_data / "mgi/HOM_MouseHumanSequence.old-header.rpt"))
