"""Reads GenCC's submissions, in the layout with ``sgc_id`` and in the older one with ``uuid``."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from app.annotation.sources.gencc.data import CLASSIFICATIONS, MODES, GenccData, Submission
from app.annotation.sources.keyed import HGNC_ID, Grouped, ReaderRequest, reading
from app.annotation.upstream.bulk_files.lines import UnusableFile, in_line
from app.annotation.upstream.bulk_files.messages import Reading
from app.annotation.upstream.bulk_files.tables import Line, as_time, read_rows, read_table

COLUMNS = (
    "gene_curie",
    "disease_curie",
    "disease_title",
    "classification_curie",
    "classification_title",
    "moi_title",
    "submitter_title",
    "submitted_as_date",
    "submitted_as_public_report_url",
)

_IDENTITY = (("sgc_id", "version_number"), ("uuid",))
"""The columns that identify a submission, in the new and the old layout."""

_MAX_LINE_BYTES = 1 << 20
"""Bytes of a line. Notes may be long, and may have line ends in them."""

_DISEASE_ID = re.compile(r"[A-Za-z]+:\w+", re.ASCII)
_VERSION = re.compile(r"[1-9]\d{0,8}", re.ASCII)
_TITLES = {title: curie for curie, title in CLASSIFICATIONS.items()}
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class _Row(NamedTuple):
    """A version of a submission."""

    id: str
    version: int
    at: datetime
    submission: Submission


def read(request: Any, path: Path) -> Reading:
    """Return the submissions of each requested gene. This is the file's reader."""
    rows = Grouped[_Row](ReaderRequest.of(request), "hgnc_id")
    identity = _identity_of(path)
    table = read_table(
        path, (*COLUMNS, *identity), quoted=True, ended=True, max_line=_MAX_LINE_BYTES
    )
    for number, values in table:
        gene, *_ = values
        if not HGNC_ID.fullmatch(gene):
            raise UnusableFile(f"{path.name}, line {number} has no HGNC id: {gene[:40]!r}")
        with in_line(path, number):
            rows.add(gene, _row(values))
    return reading([rows], _data)


def is_known(term: str) -> bool:
    """Tell whether this version knows a classification or a mode of inheritance."""
    return term in _TITLES or term in MODES


def _identity_of(path: Path) -> tuple[str, ...]:
    first = read_rows(path, quoted=True, max_line=_MAX_LINE_BYTES)
    header = next(first, Line(0, ())).values
    found = next((each for each in _IDENTITY if each[0] in header), None)
    if found is None:
        raise UnusableFile(f"{path.name} has no column sgc_id or uuid")
    return found


def _row(values: tuple[str, ...]) -> _Row:
    (
        _,
        disease_id,
        disease,
        class_id,
        classification,
        mode,
        submitter,
        at,
        report,
        name,
        *version,
    ) = (value.strip() for value in values)
    if not (disease and classification and submitter and name):
        raise UnusableFile("it names no disease, classification, submitter or submission")
    if not _DISEASE_ID.fullmatch(disease_id):
        raise UnusableFile(f"{disease_id[:40]!r} is not the id of a disease")
    if CLASSIFICATIONS.get(class_id, classification) != classification or (
        _TITLES.get(classification, class_id) != class_id
    ):
        raise UnusableFile(f"{class_id[:40]!r} is called {classification[:40]!r}")
    if version and not _VERSION.fullmatch(version[0]):
        raise UnusableFile(f"{version[0][:40]!r} is not a version")
    when = as_time(at)
    return _Row(
        id=name,
        version=int(version[0]) if version else 1,
        at=when or _LONG_AGO,
        submission=Submission(
            disease=disease,
            disease_id=disease_id,
            submitter=submitter,
            classification=classification,
            mode_of_inheritance=mode or None,
            date=when and when.date(),
            report_url=report or None,
        ),
    )


def _data(rows: list[_Row]) -> GenccData:
    """Keep the last version of each submission, and the newest one of each submitter."""
    versions: dict[str, _Row] = {}
    for row in rows:
        if row.id not in versions or row.version > versions[row.id].version:
            versions[row.id] = row
    newest: dict[tuple[str, ...], _Row] = {}
    for row in sorted(versions.values(), key=lambda each: (each.at, each.id)):
        newest[_key(row.submission)] = row
    submissions = [newest[key].submission for key in sorted(newest)]
    titles = {submission.classification for submission in submissions}
    terms = [*(submission.classification for submission in submissions)]
    terms += [
        submission.mode_of_inheritance
        for submission in submissions
        if submission.mode_of_inheritance
    ]
    return GenccData(
        strongest_classification=next((title for title in _TITLES if title in titles), None),
        submissions=submissions,
        superseded=len(rows) - len(submissions),
        unknown_terms=dict(Counter(term for term in terms if not is_known(term))),
    )


def _key(submission: Submission) -> tuple[str, ...]:
    return submission.disease_id, submission.mode_of_inheritance or "", submission.submitter
