"""The pictures that sources declare, and the addresses of identifiers."""

import re
import string

import pytest

from app.annotation.data.fields import fields_of
from app.annotation.sources import SOURCES
from app.annotation.sources.clingen.data import CLASSIFICATIONS, TONES
from app.annotation.sources.gencc import data as gencc
from app.annotation.sources.links import address_of, gene_page
from app.annotation.sources.pictures import Bars, Heading, Rows

GENE = {
    "symbol": "PKD1",
    "hgnc_id": "HGNC:9008",
    "ensembl_gene_id": "ENSG00000008710",
    "entrez_id": "5310",
}
PICTURES = [
    pytest.param(name, picture, id=f"{name}: {picture.title or 'heading'}")
    for name, source in SOURCES.items()
    for picture in source.pictures
]


@pytest.mark.parametrize(("source", "picture"), PICTURES)
def test_a_picture_names_fields_that_the_source_declares(source, picture) -> None:
    fields = {".".join(field.path): field for field in fields_of(source).values()}
    facts = [path for _, path in picture.facts] if isinstance(picture, Heading) else []
    names = [picture.name] if isinstance(picture, Heading) else []
    assert {*picture.fields, *facts, *names} <= {*fields}
    if picture.parts:
        (path,) = picture.fields
        assert {*picture.parts} <= {part.path[-1] for part in fields[path].parts}
    if isinstance(picture, Bars) and fields[picture.field].keys:
        assert {*picture.marked} <= {*fields[picture.field].keys}
    if isinstance(picture, Rows):
        assert {*picture.names} <= {*picture.parts}
        assert {*picture.names.values()} <= {*fields}


def test_every_classification_has_a_colour_the_strongest_first() -> None:
    assert tuple(TONES) == CLASSIFICATIONS
    assert tuple(gencc.TONES) == tuple(gencc.CLASSIFICATIONS.values())


@pytest.mark.parametrize("source", SOURCES)
def test_the_sources_page_of_a_gene_needs_columns_of_genes_only(source) -> None:
    template = SOURCES[source].info.gene_page
    needs = {name for _, name, _, _ in string.Formatter().parse(template) if name}
    assert needs <= {*GENE}
    address = gene_page(template, GENE)
    assert address == "" or re.fullmatch(r"https://[a-z.-]+/[\w/?=&%:.#!-]+", address)
    assert not needs or gene_page(template, dict.fromkeys(GENE)) == ""


def test_a_symbol_cannot_change_the_address_of_a_page() -> None:
    address = gene_page("https://a.org/{symbol}", GENE | {"symbol": '"><script>/../?x={hgnc_id}'})
    assert address == "https://a.org/%22%3E%3Cscript%3E%2F..%2F%3Fx%3D%7Bhgnc_id%7D"


@pytest.mark.parametrize(
    ("value", "field", "address"),
    [
        ("ENST00000262304.9", "transcript", "https://www.ensembl.org/id/ENST00000262304.9"),
        ("NM_001009944.3", "", "https://www.ncbi.nlm.nih.gov/nuccore/NM_001009944.3"),
        ("OMIM:173900", "disease_id", "https://omim.org/entry/173900"),
        ("ORPHA:730", "disease_id", "https://www.orpha.net/en/disease/detail/730"),
        ("MONDO:0004691", "", "https://monarchinitiative.org/MONDO:0004691"),
        ("HP:0000107", "", "https://hpo.jax.org/browse/term/HP:0000107"),
        ("MP:0005367", "", "https://www.informatics.jax.org/vocab/mp_ontology/MP:0005367"),
        ("MGI:97603", "mgi_id", "https://www.informatics.jax.org/marker/MGI:97603"),
        ("9606.ENSP00000262304", "", "https://string-db.org/network/9606.ENSP00000262304"),
        (40000001, "newest_pmids", "https://pubmed.ncbi.nlm.nih.gov/40000001/"),
        ("P98161", "accession", "https://www.uniprot.org/uniprotkb/P98161"),
        ("601313", "omim_id", "https://omim.org/entry/601313"),
        ("https://search.clinicalgenome.org/kb/x_1?y=2", "report_url", None),
    ],
)
def test_an_identifier_links_to_its_database(value, field, address) -> None:
    assert address_of(value, field) == (value if address is None else address)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("javascript:alert(1)", "report_url"),
        ("https://a.org/\"onmouseover='x'", "report_url"),
        ("https://user@a.org/", "report_url"),
        ("http://a.org/", "report_url"),
        ("https://a.org/", "disease"),
        ("OMIM:173900\n", ""),
        ("OMIM:17390\u0660", ""),
        ("HGNC:9008/../x", ""),
        ("5310", "anything"),
        ("P98161/../../x", "accession"),
        (True, "newest_pmids"),
        (None, ""),
        ({"a": 1}, ""),
        (10**12, "newest_pmids"),
    ],
)
def test_other_text_has_no_link(value, field) -> None:
    assert address_of(value, field) == ""
