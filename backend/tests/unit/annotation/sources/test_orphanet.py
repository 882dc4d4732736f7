"""The answers from Orphanet's file."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from app.annotation.sources.answers import Gene
from app.annotation.sources.orphanet.data import OrphanetData, OrphanetDisease
from app.annotation.sources.orphanet.reader import read
from app.annotation.upstream.bulk_files.lines import UnusableFile
from app.annotation.upstream.bulk_files.messages import Count, Reading

KIF7 = Gene(1, "HGNC:30497", "KIF7", "ENSG00000166813", "374654")
PKD1 = Gene(2, "HGNC:9008", "PKD1", "ENSG00000008710", "5310", ("PBP",))
SNORD = Gene(3, "HGNC:33020", "SNORD116@", None, None, (), ("SNORD1",))
SILENT = Gene(4, "HGNC:1", "SILENT")
GENES = [KIF7, PKD1, SNORD, SILENT]


def association(symbol: str, references: str, kind: str = "Candidate gene tested in") -> str:
    pairs = [each.split("=") for each in references.split()]
    listed = "".join(
        f'<ExternalReference id="1"><Source>{source}</Source><Reference>{value}</Reference>'
        "</ExternalReference>"
        for source, value in pairs
    )
    return (
        "<DisorderGeneAssociation><SourceOfValidation>22587682[PMID]_11309371[PMID]"
        f'</SourceOfValidation><Gene id="7"><Name lang="en">a gene</Name><Symbol>{symbol}</Symbol>'
        f'<ExternalReferenceList count="{len(pairs)}">{listed}</ExternalReferenceList></Gene>'
        f'<DisorderGeneAssociationType id="1"><Name lang="en">{kind}</Name>'
        '</DisorderGeneAssociationType><DisorderGeneAssociationStatus id="2">'
        '<Name lang="en">Assessed</Name></DisorderGeneAssociationStatus></DisorderGeneAssociation>'
    )


def disorder(code: str, name: str, *associations: str) -> str:
    return (
        f'<Disorder id="9"><OrphaCode>{code}</OrphaCode><Name lang="en">{name}</Name>'
        '<DisorderType id="1"><Name lang="en">Disease</Name></DisorderType>'
        f'<DisorderGeneAssociationList count="{len(associations)}">{"".join(associations)}'
        "</DisorderGeneAssociationList></Disorder>"
    )


def document(*disorders: str, doctype: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="ISO-8859-1"?>\n{doctype}'
        '<JDBOR date="2025-10-14 07:22:31" version="1.3.42"><Availability>x</Availability>\n'
        f'<DisorderList count="{len(disorders)}">{"".join(disorders)}</DisorderList></JDBOR>\n'
    )


GOOD = document(
    disorder("730", "Polykystose r\xe9nale", association("PKD1", "HGNC=9008")),
    disorder(
        "36",
        "Acrocallosal syndrome",
        association("KIF7", "Ensembl=ENSG00000166813 HGNC=HGNC:30497", "Role in the phenotype of"),
        association("PKD1", "HGNC=9008"),
    ),
)


class File:
    """Orphanet's file in a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "en_product6.xml"
        self.text = GOOD

    def read(self, genes: Sequence[Gene] = GENES) -> Reading:
        self.path.write_bytes(self.text.encode("iso-8859-1"))
        return read(msgspec.to_builtins({"genes": genes}), self.path)

    def answers(self) -> list[OrphanetData | str | None]:
        return [each for part in self.read().parts for each in part]


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


def test_a_gene_has_its_disorders_in_the_order_of_their_codes(file: File) -> None:
    kif7, pkd1, _, silent = file.answers()
    assert kif7 == OrphanetData(
        [
            OrphanetDisease(
                disease_id="ORPHA:36",
                disease="Acrocallosal syndrome",
                kind="Disease",
                association="Role in the phenotype of",
                status="Assessed",
                pmids=[22587682, 11309371],
            )
        ]
    )
    assert isinstance(pkd1, OrphanetData)
    assert [each.disease_id for each in pkd1.diseases] == ["ORPHA:36", "ORPHA:730"]
    assert silent is None


def test_non_ascii_letters_are_read(file: File) -> None:
    pkd1 = file.answers()[1]
    assert isinstance(pkd1, OrphanetData)
    assert pkd1.diseases[1].disease == "Polykystose rénale"


def test_the_release_is_the_day_that_the_file_states(file: File) -> None:
    reading = file.read()
    assert (reading.release, reading.counts) == ("2025-10-14", [Count(3, 2)])


@pytest.mark.parametrize(
    ("symbol", "references"),
    [("KIF7", "Ensembl=ENSG00000166813"), ("KIF7", "Genatlas=KIF7"), ("X", "HGNC=30497")],
)
def test_a_gene_is_found_by_its_hgnc_id_its_ensembl_id_or_its_symbol(
    file: File, symbol: str, references: str
) -> None:
    file.text = document(disorder("1", "x", association(symbol, references)))
    assert [type(each) for each in file.answers()] == [OrphanetData, *[type(None)] * 3]


def test_a_gene_without_a_known_ensembl_id_is_found_by_its_symbol(file: File) -> None:
    file.text = document(
        disorder("1", "x", association("SILENT", "Ensembl=ENSG00000000001")),
        disorder("2", "x", association("PKD1", "Ensembl=ENSG00000000002")),
    )
    _, pkd1, _, silent = file.answers()
    assert isinstance(silent, OrphanetData)
    assert pkd1 is None


def test_a_gene_is_found_by_a_former_symbol_if_the_file_has_no_id(file: File) -> None:
    file.text = document(disorder("1", "x", association("PBP", "Genatlas=PBP")))
    assert isinstance(file.answers()[1], OrphanetData)


def test_a_gene_is_not_found_by_its_symbol_if_the_file_has_another_id(file: File) -> None:
    file.text = document(disorder("1", "x", association("KIF7", "HGNC=99")))
    assert file.answers() == [None] * 4


def test_a_gene_with_an_ambiguous_symbol_is_unknown(file: File) -> None:
    file.text = document(disorder("1", "x", association("SNORD1", "Genatlas=x")))
    assert file.answers()[2] == "Orphanet has SNORD1, which may be this gene or another one"


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE JDBOR [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE JDBOR SYSTEM "file:///etc/passwd">',
        "<!DOCTYPE JDBOR>",
    ],
)
def test_a_document_type_declaration_is_refused(file: File, doctype: str) -> None:
    file.text = document(disorder("1", "x"), doctype=doctype)
    with pytest.raises(UnusableFile, match="document type declaration"):
        file.read()


def test_deeply_nested_elements_are_refused(file: File) -> None:
    file.text = "<a>" * 100_000
    with pytest.raises(UnusableFile, match="elements in more than 32 others"):
        file.read()


def test_a_file_truncated_anywhere_is_refused(file: File) -> None:
    for end in range(len(GOOD) - 1):
        file.text = GOOD[:end]
        with pytest.raises(UnusableFile):
            file.read()


@pytest.mark.parametrize(
    "name",
    [
        "JDBOR",
        "OrphaCode",
        "Name",
        "DisorderType",
        "DisorderGeneAssociationList",
        "DisorderGeneAssociation",
        "DisorderGeneAssociationType",
        "DisorderGeneAssociationStatus",
        "Gene",
        "Symbol",
        "ExternalReferenceList",
        "ExternalReference",
        "Source",
        "Reference",
        "Disorder",
    ],
)
def test_an_element_with_another_name_is_refused(file: File, name: str) -> None:
    for end in (">", " "):
        file.text = file.text.replace(f"<{name}{end}", f"<new_{name}{end}")
    file.text = file.text.replace(f"</{name}>", f"</new_{name}>")
    assert file.text != GOOD
    with pytest.raises(UnusableFile):
        file.read()


@pytest.mark.parametrize(
    ("value", "instead"),
    [
        ("<OrphaCode>730<", "<OrphaCode>0<"),
        ("<OrphaCode>730<", "<OrphaCode>ORPHA:730<"),
        ("<OrphaCode>730<", "<OrphaCode><"),
        (">Acrocallosal syndrome<", "> <"),
        (">Role in the phenotype of<", "><"),
        (">Assessed<", "><"),
        (">9008<", ">PKD1<"),
        (">9008<", "><"),
        (">PKD1<", "><"),
        ('<ExternalReferenceList count="2"', '<ExternalReferenceList count="3"'),
        ('<DisorderGeneAssociationList count="2"', '<DisorderGeneAssociationList count="1"'),
        ('<DisorderList count="2"', '<DisorderList count="3"'),
        ('date="2025-10-14 07:22:31"', 'date="October"'),
        ('date="2025-10-14 07:22:31"', ""),
        ("ISO-8859-1", "UTF-8"),
        ("ISO-8859-1", "EBCDIC-X"),
    ],
)
def test_a_wrong_value_is_refused(file: File, value: str, instead: str) -> None:
    assert value in GOOD
    file.text = GOOD.replace(value, instead)
    with pytest.raises(UnusableFile):
        file.read()


def test_the_real_file_is_read(shared_data: Path) -> None:
    genes = [
        KIF7,
        Gene(2, "HGNC:318", "AGA"),
        Gene(3, "HGNC:20376", "SUMF1"),
        Gene(4, "HGNC:6831", "MANBA"),
        SILENT,
    ]
    path = shared_data / "orphanet/en_product6.2023-06-22.reduced.xml"
    reading = read(msgspec.to_builtins({"genes": genes}), path)
    answers = [each for part in reading.parts for each in part]
    assert (reading.release, reading.counts) == ("2023-06-22", [Count(5, 5)])
    assert answers[-1] is None
    found = [each.diseases[0] for each in answers[:-1]]
    assert [(each.disease_id, each.disease, each.pmids) for each in found] == [
        ("ORPHA:166024", "Multiple epiphyseal dysplasia, Al-Gazali type", [22587682]),
        ("ORPHA:93", "Aspartylglucosaminuria", [11309371]),
        ("ORPHA:585", "Multiple sulfatase deficiency", [17657823]),
        ("ORPHA:118", "Beta-mannosidosis", [18980795]),
    ]
    assert {(each.association, each.status) for each in found} == {
        ("Disease-causing germline mutation(s) in", "Assessed")
    }
