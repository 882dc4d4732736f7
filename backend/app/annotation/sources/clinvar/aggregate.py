"""Counts one gene's variants. The API and the bulk table give the same counts."""

import re
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from app.annotation.sources.clinvar.germline import (
    CLASSES,
    germline_class,
    is_known,
    says_something,
)

NO_DATE = 0
_EARLIEST_YEAR = 1900
_MAX_QUOTE_CHARS = 40
_MAX_TERM_CHARS = 200
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DATE_IN_WORDS = re.compile(r"([A-Za-z]{3})[a-z]* (\d{1,2}), (\d{4})", re.ASCII)
_DATE_IN_NUMBERS = re.compile(r"(\d{1,4})[-/](\d{1,2})[-/](\d{1,2})(?: .*)?", re.ASCII)


class Profile(NamedTuple):
    """The classifications of a variant in ClinVar's words; empty where there is none."""

    germline: str
    review_status: str
    clinical_impact: str
    oncogenicity: str


class Tally:
    """The counts of one gene's variants: those of this gene alone, and those of several genes."""

    __slots__ = ("consequences", "multi_gene", "newest", "single_gene")

    def __init__(self) -> None:
        self.single_gene: defaultdict[Profile, int] = defaultdict(int)
        self.multi_gene: defaultdict[Profile, int] = defaultdict(int)
        self.consequences: defaultdict[str | None, int] = defaultdict(int)
        self.newest = NO_DATE

    def add(
        self, profile: Profile, consequence: str | None, evaluated: int, *, single_gene: bool
    ) -> None:
        """Count one variant. ``evaluated`` is a day number of :func:`day`."""
        counts = self.single_gene if single_gene else self.multi_gene
        counts[profile] += 1
        self.consequences[consequence] += 1
        self.newest = max(self.newest, evaluated)

    def data(self) -> dict[str, Any] | None:
        """Return the annotation; None if the gene has no variant.

        ``germline`` has every class, and its counts add up to ``variants``. The other counts have
        only the terms that occurred, and leave out variants without a term. ``unknown_terms`` are
        germline classifications that this version does not know. They count as other.
        """
        single_gene, multi_gene = sum(self.single_gene.values()), sum(self.multi_gene.values())
        variants = single_gene + multi_gene
        if not variants:
            return None
        germline = dict.fromkeys(CLASSES, 0)
        review_status: dict[str, int] = {}
        clinical_impact: dict[str, int] = {}
        oncogenicity: dict[str, int] = {}
        unknown_terms: dict[str, int] = {}
        for profile, count in chain(self.single_gene.items(), self.multi_gene.items()):
            germline[germline_class(profile.germline)] += count
            unknown = "" if is_known(profile.germline) else profile.germline[:_MAX_TERM_CHARS]
            for counts, text in (
                (review_status, profile.review_status),
                (clinical_impact, profile.clinical_impact),
                (oncogenicity, profile.oncogenicity),
                (unknown_terms, unknown),
            ):
                if text:
                    counts[text] = counts.get(text, 0) + count
        derived = {term: count for term, count in self.consequences.items() if term is not None}
        return {
            "variants": variants,
            "single_gene": single_gene,
            "multi_gene": multi_gene,
            "germline": germline,
            "review_status": dict(sorted(review_status.items())),
            "molecular_consequence": dict(sorted(derived.items())),
            "oncogenicity": dict(sorted(oncogenicity.items())),
            "clinical_impact": dict(sorted(clinical_impact.items())),
            "unknown_terms": dict(sorted(unknown_terms.items())),
            "last_evaluated": None
            if self.newest == NO_DATE
            else date.fromordinal(self.newest).isoformat(),
        }


@lru_cache(maxsize=65_536)
def day(text: str) -> int:
    """Return an evaluation date as a day number (``date.toordinal``); 0 if there is none.

    ``esummary`` writes ``2026/03/11 00:00``, and ``1/01/01 00:00`` for none. The bulk table writes
    ``Mar 11, 2026``, and ``-`` for none. An impossible date counts as none.

    Raises:
        ValueError: the format of the date is unknown. It may have changed for all dates.
    """
    stripped = _without_dash(text)
    if not stripped:
        return NO_DATE
    words = _DATE_IN_WORDS.fullmatch(stripped)
    if words is not None and words[1].lower() in _MONTHS:
        return _ordinal(words[3], _MONTHS.index(words[1].lower()) + 1, words[2])
    numbers = _DATE_IN_NUMBERS.fullmatch(stripped)
    if numbers is None:
        raise ValueError(f"a date of unknown form: {stripped[:_MAX_QUOTE_CHARS]!r}")
    return _ordinal(numbers[1], numbers[2], numbers[3])


def _ordinal(year: str, month: int | str, of_month: str) -> int:
    try:
        found = date(int(year), int(month), int(of_month))
    except ValueError:
        return NO_DATE
    # in some time zones it is already tomorrow; a later date is an error
    latest = datetime.now(UTC).date() + timedelta(days=1)
    return found.toordinal() if found.year >= _EARLIEST_YEAR and found <= latest else NO_DATE


def profile(
    germline: str, review_status: str, clinical_impact: str = "", oncogenicity: str = ""
) -> Profile:
    """Make a profile from ClinVar's texts. A ``-`` in the bulk table means none.

    "no classification for the single variant" is kept as a germline classification only.
    """
    return Profile(
        _without_dash(germline),
        _without_dash(review_status),
        clinical_impact=_without_dash(clinical_impact) if says_something(clinical_impact) else "",
        oncogenicity=_without_dash(oncogenicity) if says_something(oncogenicity) else "",
    )


def _without_dash(text: str) -> str:
    stripped = text.strip()
    return "" if stripped == "-" else stripped
