"""ClinGen's two files: gene-disease validity, and dosage sensitivity."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from sandbox.catalogue import Gene
from sandbox.mixing import mix
from sandbox.service import ServedFile, Service

VALIDITY_COLUMNS = (
    "GENE SYMBOL", "GENE ID (HGNC)", "DISEASE LABEL", "DISEASE ID (MONDO)", "MOI", "SOP",
    "CLASSIFICATION", "ONLINE REPORT", "CLASSIFICATION DATE", "GCEP",
)  # fmt: skip
_RULES = (11, 14, 13, 18, 9, 9, 14, 13, 19, 19)
_BANNER = (
    "CLINGEN GENE DISEASE VALIDITY CURATIONS",
    "FILE CREATED: 2025-11-02",
    "WEBPAGE: https://search.clinicalgenome.org/kb/gene-validity",
)

_PMIDS = range(1, 7)
DOSAGE_COLUMNS = (
    "#Gene Symbol", "Gene ID", "cytoBand", "Genomic Location",
    "Haploinsufficiency Score", "Haploinsufficiency Description",
    *(f"Haploinsufficiency PMID{number}" for number in _PMIDS),
    "Triplosensitivity Score", "Triplosensitivity Description",
    *(f"Triplosensitivity PMID{number}" for number in _PMIDS),
    "Date Last Evaluated", "Haploinsufficiency Disease ID", "Triplosensitivity Disease ID",
)  # fmt: skip
_DBVAR = "https://www.ncbi.nlm.nih.gov/projects/dbvar/clingen"
_DOSAGE_BANNER = (
    "#ClinGen Gene Curation Results",
    "#02 Nov,2025",
    "#Genomic Locations are reported on GRCh38 (hg38): GCF_000001405.36",
    f"#{_DBVAR}",
    f"#to create link: {_DBVAR}/clingen_gene.cgi?sym=Gene Symbol",
)

# Frequencies of a real file of 180 rows.
_CLASSIFICATIONS = (
    *("Definitive",) * 13, "Limited", "Limited", "Limited", "Moderate", "Moderate", "Disputed",
    "Strong", "Refuted", "No Known Disease Relationship",
)  # fmt: skip
_MODES = (*("AD",) * 9, *("AR",) * 8, "XL", "SD", "MT")
_SCORES = (
    *(("30", "Gene associated with autosomal recessive phenotype"),) * 8,
    *(("3", "Sufficient evidence for dosage pathogenicity"),) * 5,
    *(("0", "No evidence available"),) * 3,
    ("1", "Little evidence for dosage pathogenicity"),
    ("2", "Some evidence for dosage pathogenicity"),
    ("40", "Dosage sensitivity unlikely"),
)
_NONE = ("0", "No evidence available")
_NOT_YET = ("Not yet evaluated", "Not yet evaluated")
_PANEL = "{} Gene Curation Expert Panel"
_PANELS = ("Kidney Cystic and Ciliopathy Disorders", "Glomerulopathy", "Hearing Loss")

#: Of 20 genes, 5 have no row in either file.
_WITH_VALIDITY = 12
_WITH_DOSAGE = range(6, 15)


class ClinGen(Service):
    """The downloads of search.clinicalgenome.org and ftp.clinicalgenome.org."""

    name = "clingen"
    addresses: ClassVar = {
        "CLINGEN_SEARCH_URL": "clingen-search",
        "CLINGEN_FILES_URL": "clingen-files",
    }

    def files(self) -> Sequence[ServedFile]:
        """Return both files."""
        return (
            ServedFile(
                name="clingen.validity",
                path="/clingen-search/kb/gene-validity/download",
                write=_write_validity,
                renames="DISEASE ID (MONDO)",
                separator=",",
            ),
            ServedFile(
                name="clingen.dosage",
                path="/clingen-files/ClinGen_gene_curation_list_GRCh38.tsv",
                write=_write_dosage,
                renames="Haploinsufficiency Score",
                numbers=("Haploinsufficiency Score", "Triplosensitivity Score"),
            ),
        )


def _write_validity(path: Path, genes: Sequence[Gene]) -> None:
    rule = tuple("+" * width for width in _RULES)
    with path.open("w", encoding="utf-8", newline="") as sink:
        rows = csv.writer(sink, quoting=csv.QUOTE_ALL, lineterminator="\n")
        rows.writerows((line, *("",) * (len(VALIDITY_COLUMNS) - 1)) for line in _BANNER)
        rows.writerows((rule, VALIDITY_COLUMNS, rule))
        for gene in sorted(genes, key=lambda each: each.symbol):
            if gene.index % 20 < _WITH_VALIDITY:
                rows.writerows(_curations(gene))


def _curations(gene: Gene) -> Iterator[tuple[str, ...]]:
    drawn = mix(41, gene.index)
    count = 1 + (gene.index % 20 == 0) + (gene.index % 20 == 1)
    for place in range(count):
        # two panels have classified the same disease of every 20th gene
        disease = 0 if gene.index % 20 == 1 else place
        when = f"{2016 + (drawn + place) % 9}-0{1 + drawn % 9}-{10 + drawn % 18}"
        clock = "T00:00:00" if drawn % 7 == 0 else "T16:00:00.000Z"
        report = f"CGGV:assertion_{drawn:016x}-{place}-{when}T160000.000Z"
        yield (
            gene.symbol,
            gene.hgnc_id,
            f"{gene.symbol}-related disorder, type {disease + 1}",
            f"MONDO:{drawn % 900_000 + disease:07d}",
            _MODES[drawn % len(_MODES)],
            f"SOP{5 + drawn % 7}",
            _CLASSIFICATIONS[(drawn >> 8) % len(_CLASSIFICATIONS)],
            f"https://search.clinicalgenome.org/kb/gene-validity/{report}",
            when + clock,
            _PANEL.format(_PANELS[place]),
        )


def _write_dosage(path: Path, genes: Sequence[Gene]) -> None:
    with path.open("w", encoding="utf-8", newline="") as sink:
        sink.writelines(f"{line}\n" for line in (*_DOSAGE_BANNER, "\t".join(DOSAGE_COLUMNS)))
        for gene in sorted(genes, key=lambda each: each.symbol):
            if gene.index % 20 in _WITH_DOSAGE:
                sink.write("\t".join(_dosage(gene)) + "\n")


def _dosage(gene: Gene) -> tuple[str, ...]:
    drawn = mix(42, gene.index)
    haplo = _SCORES[drawn % len(_SCORES)]
    triplo = _NOT_YET if drawn % 6 == 0 else _NONE
    none = ("",) * len(_PMIDS)
    known = haplo[0] in ("1", "2", "3", "30")
    return (
        gene.symbol,
        gene.entrez_id,
        gene.location,
        f"chr{gene.chromosome}:{gene.start}-{gene.start + 40_000}",
        *haplo,
        *((str(20_000_000 + drawn % 10_000_000), *none[1:]) if known else none),
        *triplo,
        *none,
        f"{2012 + drawn % 14}-0{1 + drawn % 9}-{10 + drawn % 18}",
        f"MONDO:{mix(41, gene.index) % 900_000:07d}" if known else "",
        "",
    )
