"""GenCC's submissions, in the layout of `format=new`."""

import csv
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import ClassVar

from sandbox.catalogue import Gene
from sandbox.mixing import mix
from sandbox.service import ServedFile, Service

_AS_SUBMITTED = (
    "hgnc_id", "hgnc_symbol", "disease_id", "disease_name", "moi_id", "moi_name", "submitter_id",
    "submitter_name", "classification_id", "classification_name", "date", "public_report_url",
    "notes", "pmids", "assertion_criteria_url", "submission_id",
)  # fmt: skip
COLUMNS = (
    "sgc_id", "version_number", "gene_curie", "gene_symbol", "disease_curie", "disease_title",
    "disease_original_curie", "disease_original_title", "classification_curie",
    "classification_title", "moi_curie", "moi_title", "submitter_curie", "submitter_title",
    *(f"submitted_as_{name}" for name in _AS_SUBMITTED), "submitted_run_date",
)  # fmt: skip

# Frequencies of a real file of 107 rows, with the rarer terms once each.
_CLASSIFICATIONS = (
    *(("GENCC:100002", "Strong"),) * 10,
    *(("GENCC:100001", "Definitive"),) * 7,
    ("GENCC:100003", "Moderate"),
    ("GENCC:100009", "Supportive"),
    ("GENCC:100004", "Limited"),
    ("GENCC:100005", "Disputed Evidence"),
    ("GENCC:100006", "Refuted Evidence"),
    ("GENCC:100008", "No Known Disease Relationship"),
)
_MODES = (
    *(("HP:0000006", "Autosomal dominant"),) * 7,
    *(("HP:0000007", "Autosomal recessive"),) * 3,
    ("HP:0000005", "Unknown"),
    ("HP:0001427", "Mitochondrial"),
    ("HP:0001417", "X-linked"),
)
_SUBMITTERS = (
    ("GENCC:000112", "G2P"),
    ("GENCC:000106", "Labcorp Genetics (formerly Invitae)"),
    ("GENCC:000101", "Ambry Genetics"),
    ("GENCC:000102", "ClinGen"),
)
_NOTES = (
    "",
    "",
    'The panel calls this "likely".\nSee the report.',
    "Reviewed\tby two curators",
)

#: Of 10 genes, 3 have no submission. The first of 10 has an older one of the same submitter.
_WITH_SUBMISSIONS = 7


class Gencc(Service):
    """The download of thegencc.org. Its site lets an address download 20 files a day."""

    name = "gencc"
    addresses: ClassVar = {"GENCC_FILES_URL": "gencc"}

    def files(self) -> Sequence[ServedFile]:
        """Return the submissions."""
        return (
            ServedFile(
                name="gencc.submissions",
                path="/gencc/download/action/submissions-export-tsv",
                write=_write,
                renames="classification_title",
                daily=20,
            ),
        )


def _write(path: Path, genes: Sequence[Gene]) -> None:
    numbers = count(100_001)
    with path.open("w", encoding="utf-8", newline="") as sink:
        rows = csv.writer(sink, delimiter="\t", lineterminator="\n")
        rows.writerow(COLUMNS)
        for gene in genes:
            if gene.index % 10 < _WITH_SUBMISSIONS:
                rows.writerows(_submissions(gene, numbers))


def _submissions(gene: Gene, numbers: Iterator[int]) -> Iterator[tuple[str, ...]]:
    drawn = mix(43, gene.index)
    for place in range(1 + drawn % len(_SUBMITTERS)):
        yield _row(gene, f"SGC-{next(numbers)}", place, 2024)
    if gene.index % 10 == 0:
        yield _row(gene, f"SGC-{next(numbers)}", 0, 2018)


def _row(gene: Gene, sgc_id: str, place: int, year: int) -> tuple[str, ...]:
    drawn = mix(44 + place, gene.index)
    classification = _CLASSIFICATIONS[(drawn + year) % len(_CLASSIFICATIONS)]
    mode = _MODES[mix(43, gene.index) % len(_MODES)]
    submitter = _SUBMITTERS[place]
    disease = f"MONDO:{mix(41, gene.index) % 900_000:07d}"
    title = f"{gene.symbol}-related disorder, type 1"
    day = f"{year}-0{1 + drawn % 9}-{10 + drawn % 18}"
    times = (f"{day} 13:30:57", f"{day}T00:00:00.000000Z", f"{day} 00:00:00")
    omim = f"OMIM:{600_000 + gene.index % 100_000}"
    report = "" if drawn % 2 else f"https://reports.example/{gene.symbol}/{place}"
    return (
        sgc_id,
        "1",
        gene.hgnc_id,
        gene.symbol,
        disease,
        title,
        omim,
        title.upper(),
        *classification,
        *mode,
        *submitter,
        gene.hgnc_id,
        gene.symbol,
        omim,
        title.capitalize(),
        mode[0],
        f"{mode[1]} inheritance",
        *submitter,
        *classification,
        times[drawn % len(times)],
        report,
        _NOTES[drawn % len(_NOTES)],
        str(20_000_000 + drawn % 10_000_000),
        "PMID:\N{NO-BREAK SPACE}28106320",
        f"{drawn % 10_000:04d}",
        f"{year}-12-24",
    )
