"""Decodes the answers of the E-utilities about ClinVar, and recognizes errors in them.

Many errors come with HTTP 200: ``ERROR`` in a search, a list named ``esummaryresult`` instead of
``result``, ``error`` at the top or in a single record, or JSON with a raw newline in a string
(recorded answers; Klortho/Eutils-JSON, ropensci/rentrez#103).
"""

import contextlib
import re
from typing import Any, NamedTuple, TypeVar

import msgspec

from app.annotation.sources.clinvar import aggregate
from app.annotation.sources.clinvar.consequence import consequence
from app.annotation.upstream.errors import BadAnswer
from app.core.process.redaction import redact

T = TypeVar("T")

# JSON allows control characters only as white space between tokens. Replacing each of them by a
# space is therefore safe.
_CONTROL_TO_SPACE = bytes(max(byte, 32) for byte in range(256))
_NO_SUCH_PAGE = re.compile(
    r"unable to obtain query|webenv|query_key|history|empty result", re.IGNORECASE
)
_MAX_QUOTE_CHARS = 200
_MAX_FOUND = 10_000_000
"""All of ClinVar has some 4 million variants."""
_RELEASE = re.compile(r"(\d{4})/(\d{2})/(\d{2}) \d{2}:\d{2}", re.ASCII)


_COMBINATIONS = frozenset(
    {
        "compound heterozygote",
        "compoundheterozygote",
        "diplotype",
        "distinct chromosomes",
        "haplotype",
        "haplotype defined by a single variant",
        "haplotype, single variant",
        "phase unknown",
    }
)
"""The types that are not single alleles (``typeVariationType`` of variation_archive.xsd)."""


class Search(NamedTuple):
    """A search kept on NCBI's history server."""

    found: int
    web_env: str
    query_key: str


class GeneOfVariant(msgspec.Struct, gc=False):
    """One of the ``genes`` of a summary."""

    symbol: str
    geneid: str | int


class Variant(NamedTuple):
    """The part of a summary that is kept."""

    uid: str
    genes: list[GeneOfVariant]
    profile: aggregate.Profile
    consequence: str | None
    evaluated: int
    is_allele: bool


class _Classification(msgspec.Struct, frozen=True, gc=False):
    description: str
    review_status: str
    last_evaluated: str


class _Summary(msgspec.Struct, gc=False):
    """The fields that every summary of ClinVar has. A text without content is empty."""

    uid: str
    obj_type: str
    title: str
    genes: list[GeneOfVariant]
    germline_classification: _Classification
    clinical_impact_classification: _Classification
    oncogenicity_classification: _Classification


class _Failed(msgspec.Struct):
    """The error that an answer has instead of a summary that could not be made."""

    error: str


class _SummaryAnswer(msgspec.Struct):
    result: dict[str, msgspec.Raw] | None = None
    esummaryresult: list[Any] | str | None = None
    error: str | None = None
    ERROR: str | None = None


class _ErrorList(msgspec.Struct):
    fieldsnotfound: list[str]


class _SearchResult(msgspec.Struct):
    count: str | int | None = None
    webenv: str = ""
    querykey: str = ""
    ERROR: str | None = None
    errorlist: _ErrorList | None = None


class _SearchAnswer(msgspec.Struct):
    esearchresult: _SearchResult | None = None
    error: str | None = None


class _DbInfo(msgspec.Struct):
    dbname: str
    lastupdate: str


class _EinfoResult(msgspec.Struct):
    dbinfo: list[_DbInfo]


class _EinfoAnswer(msgspec.Struct):
    einforesult: _EinfoResult


def decode_search(body: bytes) -> Search:
    """Read an ``esearch`` answer. Its numbers are strings.

    Raises:
        BadAnswer: the answer is an error, has no plausible count, or does not say where the result
            is kept.
    """
    answer = _decode(body, _SearchAnswer)
    found = answer.esearchresult
    error = answer.error or (found.ERROR if found is not None else None)
    if error is not None:
        raise _bad("esearch", error)
    try:
        count = int(found.count) if found is not None and found.count is not None else -1
    except ValueError:
        count = -1
    if found is None or not 0 <= count <= _MAX_FOUND:
        raise _bad("esearch", "an answer without a plausible count")
    if found.errorlist is not None and found.errorlist.fieldsnotfound:
        # such a search finds nothing or the wrong records
        fields = ", ".join(found.errorlist.fieldsnotfound)
        raise _bad("esearch", f"there is no such field any more: {fields}")
    if count and not (found.webenv and found.querykey):
        raise _bad("esearch", "an answer without a history")
    return Search(count, found.webenv, found.querykey)


def decode_summaries(body: bytes) -> list[Variant]:
    """Read a page of summaries.

    A record with an error is skipped, so that the number of variants reveals the gap. A missing
    page is returned as an empty one: the history server has dropped the search, or the count was
    wrong. The page cannot be fetched again, so the caller repeats the search.

    Raises:
        BadAnswer: the page is an error or has another form. Every summary of ClinVar has all fields
            that are counted. One that lacks a field is of another database, or its form changed.
    """
    answer = _decode(body, _SummaryAnswer)
    problem = answer.error or answer.ERROR
    if problem is None and answer.result is None:
        problem = _text(answer.esummaryresult)
    if problem is not None:
        if _NO_SUCH_PAGE.search(problem):
            return []
        raise _bad("esummary", problem)
    records = answer.result or {}
    if "uids" not in records:
        raise _bad("esummary", "an answer without uids")
    uids = _decode(records["uids"], list[str])
    return [found for uid in uids if (found := _record(uid, records.get(uid))) is not None]


def decode_release(body: bytes) -> str:
    """Return the day of ClinVar's last update from an ``einfo`` answer: ``2026-09-24``.

    Raises:
        BadAnswer: the answer is an error or has another form.
    """
    for database in _decode(body, _EinfoAnswer).einforesult.dbinfo:
        if database.dbname == "clinvar":
            day = _RELEASE.fullmatch(database.lastupdate)
            if day is None:
                raise _bad("einfo", f"the last update is not a date: {database.lastupdate!r}")
            return "-".join(day.groups())
    raise _bad("einfo", "an answer without ClinVar")


def _record(uid: str, record: msgspec.Raw | None) -> Variant | None:
    if record is None:
        return None
    try:
        summary = _decode(record, _Summary)
    except BadAnswer:
        # any other record is reported as a summary that lacks fields
        with contextlib.suppress(BadAnswer):
            _decode(record, _Failed)
            return None
        raise
    if summary.uid != uid:
        raise _bad("esummary", f"the summary of {uid} is about {summary.uid}")
    try:
        return _variant(summary)
    except ValueError as error:
        raise _bad("esummary", f"variant {uid}: {error}") from None


def _variant(summary: _Summary) -> Variant:
    germline = summary.germline_classification
    impact = summary.clinical_impact_classification
    oncogenicity = summary.oncogenicity_classification
    return Variant(
        summary.uid,
        summary.genes,
        aggregate.profile(
            germline.description,
            germline.review_status,
            impact.description,
            oncogenicity.description,
        ),
        consequence(summary.title),
        max(aggregate.day(of.last_evaluated) for of in (germline, impact, oncogenicity)),
        summary.obj_type.strip().lower() not in _COMBINATIONS,
    )


def _decode(body: bytes | msgspec.Raw, shape: type[T]) -> T:
    try:
        try:
            return msgspec.json.decode(body, type=shape)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            return msgspec.json.decode(bytes(body).translate(_CONTROL_TO_SPACE), type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # the body is not quoted, because an error page may contain the API key
        raise BadAnswer(f"it cannot be read ({error})") from None


def _bad(what: str, error: str) -> BadAnswer:
    # redacted before truncation, because a part of a secret would not be recognized
    return BadAnswer(f"{what}: {redact(error)[:_MAX_QUOTE_CHARS]}")


def _text(esummaryresult: list[Any] | str | None) -> str:
    if esummaryresult is None:
        return "an answer without a result"
    return str(esummaryresult).strip("[]'")
