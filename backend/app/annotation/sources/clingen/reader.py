"""Reads ClinGen's two files."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from app.annotation.sources.clingen.data import (
    CLASSIFICATIONS,
    MODES,
    NOT_EVALUATED,
    SCORES,
    ClinGenData,
    Curation,
    Dosage,
)
from app.annotation.sources.keyed import ENTREZ_ID, HGNC_ID, Grouped, ReaderRequest, reading
from app.annotation.upstream.bulk_files.lines import UnusableFile, in_line
from app.annotation.upstream.bulk_files.messages import Reading
from app.annotation.upstream.bulk_files.tables import as_time, read_table

VALIDITY_COLUMNS = (
    "GENE ID (HGNC)",
    "DISEASE LABEL",
    "DISEASE ID (MONDO)",
    "MOI",
    "SOP",
    "CLASSIFICATION",
    "ONLINE REPORT",
    "CLASSIFICATION DATE",
    "GCEP",
)
DOSAGE_COLUMNS = (
    "Gene ID",
    "Haploinsufficiency Score",
    "Haploinsufficiency Description",
    "Triplosensitivity Score",
    "Triplosensitivity Description",
    "Date Last Evaluated",
    "Haploinsufficiency Disease ID",
    "Triplosensitivity Disease ID",
)

MAX_LINES_BEFORE = 12
"""The most lines before the header of either file. They had 4 and 5 in 2026."""

_CREATED = re.compile(r"FILE CREATED: (\d{4}-\d{2}-\d{2})")
_RULE = "+++"
_DISEASE_ID = re.compile(r"MONDO:\d{7}", re.ASCII)
_MEANINGS = {meaning: score for score, meaning in SCORES.items()}


class _DosageRow(NamedTuple):
    """A row of the dosage curations. Of several rows of a gene, the newest one counts."""

    date: str
    haploinsufficiency: Dosage
    triplosensitivity: Dosage


def read(request: Any, validity: Path, dosage: Path) -> Reading:
    """Return the curations of each requested gene. This is the files' reader."""
    genes = ReaderRequest.of(request)
    curations = _read_validity(genes, validity)
    scores = _read_dosage(genes, dosage)
    return reading([curations, scores], _data, release=_day_of(validity))


def unknown_terms(curations: Iterable[Curation], dosages: Iterable[Dosage]) -> dict[str, int]:
    """Count the terms that this version does not know."""
    terms = [curation.classification for curation in curations]
    terms += [
        curation.mode_of_inheritance for curation in curations if curation.mode_of_inheritance
    ]
    terms += [dosage.meaning for dosage in dosages]
    return dict(Counter(term for term in terms if not is_known(term)))


def is_known(term: str) -> bool:
    """Tell whether this version knows a classification, a mode of inheritance or a score."""
    return term in CLASSIFICATIONS or term in MODES or term in _MEANINGS or term == NOT_EVALUATED


def _day_of(path: Path) -> str:
    """Return the day on which the validity curations say that they were written."""
    with path.open(encoding="utf-8", errors="replace") as file:
        found = _CREATED.search(file.read(2_000))
    if found is None:
        raise UnusableFile(f"{path.name} does not say when it was created")
    return found[1]


def _read_validity(genes: ReaderRequest, path: Path) -> Grouped[Curation]:
    found = Grouped[Curation](genes, "hgnc_id")
    table = read_table(
        path,
        VALIDITY_COLUMNS,
        separator=",",
        quoted=True,
        lines_before=MAX_LINES_BEFORE,
        ended=True,
    )
    for number, values in table:
        if values[0].startswith(_RULE):
            continue
        gene, disease, disease_id, mode, procedure, classification, report, at, panel = map(
            str.strip, values
        )
        with in_line(path, number):
            when = as_time(at)
        if not (
            HGNC_ID.fullmatch(gene)
            and _DISEASE_ID.fullmatch(disease_id)
            and disease
            and classification
            and when
        ):
            raise UnusableFile(f"{path.name}, line {number} names no gene, disease, class or date")
        found.add(
            gene,
            Curation(
                disease=disease,
                disease_id=disease_id,
                classification=classification,
                mode_of_inheritance=mode or None,
                expert_panel=panel or None,
                date=when.date(),
                procedure=procedure or None,
                report_url=report or None,
            ),
        )
    return found


def _read_dosage(genes: ReaderRequest, path: Path) -> Grouped[_DosageRow]:
    found = Grouped[_DosageRow](genes, "entrez_id")
    for number, values in read_table(
        path, DOSAGE_COLUMNS, lines_before=MAX_LINES_BEFORE, ended=True
    ):
        gene, haplo, haplo_means, triplo, triplo_means, at, haplo_of, triplo_of = values
        if not ENTREZ_ID.fullmatch(gene):
            raise UnusableFile(f"{path.name}, line {number} has no Entrez id: {gene[:40]!r}")
        with in_line(path, number):
            haploinsufficiency = _dosage(haplo, haplo_means, haplo_of)
            triplosensitivity = _dosage(triplo, triplo_means, triplo_of)
            as_time(at)
        row = _DosageRow(at, haploinsufficiency, triplosensitivity)
        found.add(
            gene,
            row,
            says_something=bool(row.haploinsufficiency.score or row.triplosensitivity.score),
        )
    return found


def _dosage(score: str, meaning: str, diseases: str) -> Dosage:
    """Read a score. The words beside it must not be those of another score."""
    value = None if score == NOT_EVALUATED else _whole(score)
    meaning = meaning or (NOT_EVALUATED if value is None else SCORES.get(value, score))
    if meaning == NOT_EVALUATED or meaning in _MEANINGS:
        expected = _MEANINGS.get(meaning)
        if expected != value:
            raise UnusableFile(f"the score {score[:40]!r} is called {meaning!r}")
    ids = [each.strip() for each in diseases.split(",") if each.strip()]
    if wrong := [disease_id for disease_id in ids if not _DISEASE_ID.fullmatch(disease_id)]:
        raise UnusableFile(f"{wrong[0][:40]!r} is not a MONDO id")
    return Dosage(value, meaning, ids)


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,3}", text, re.ASCII):
        raise UnusableFile(f"{text[:40]!r} is not a dosage score")
    return int(text)


def _data(curations: list[Curation], rows: list[_DosageRow]) -> ClinGenData:
    row = max(rows, key=lambda each: each.date, default=None)
    classifications = {curation.classification for curation in curations}
    evaluated = as_time(row.date) if row else None
    return ClinGenData(
        strongest_classification=next(
            (
                classification
                for classification in CLASSIFICATIONS
                if classification in classifications
            ),
            None,
        ),
        validity=sorted(dict.fromkeys(curations), key=_order),
        haploinsufficiency=row and row.haploinsufficiency,
        triplosensitivity=row and row.triplosensitivity,
        dosage_date=evaluated and evaluated.date(),
        unknown_terms=unknown_terms(
            curations, [row.haploinsufficiency, row.triplosensitivity] if row else []
        ),
    )


def _order(curation: Curation) -> tuple[str, str, str]:
    """Sort curations so that equal files give equal data, whatever the order of their rows."""
    return curation.disease_id, curation.mode_of_inheritance or "", curation.report_url or ""
