"""Recognizes what a cell of a gene list holds: no value, an identifier, a number or a name."""

import re
from decimal import Decimal
from typing import Literal

IdKind = Literal["HGNC id", "Entrez id", "Ensembl id"]
Kind = Literal["HGNC id", "Entrez id", "Ensembl id", "symbol"]

MISSING = frozenset(
    {
        "", "na", "n/a", "#n/a", "#n/a n/a", "#na", "nan", "-nan", "<na>", "null", "none", "-",
        "--", ".", "\\n", "#value!", "#ref!", "#name?", "#div/0!", "#num!", "#null!",
    }
)  # fmt: skip
"""Texts that stand for a missing value, in lower case: R (``NA``), pandas (``NaN``, ``<NA>``; the
list of its ``read_csv``), Excel's errors (``#N/A``), SQL (``NULL``, ``\\N``), annotation tables
(``-``, ``.``)."""

_HGNC_ID = re.compile(r"(?:HGNC[:_ ] ?)+([0-9]{1,9})(?:\.0+)?", re.IGNORECASE)
_ENTREZ_ID = re.compile(
    r"(?:NCBI|(?:NCBI ?)?GENE ?ID|NCBI_?GENE|ENTREZ(?:_?GENE)?)[:_ ] ?([0-9]{1,9})(?:\.0+)?",
    re.IGNORECASE,
)
_ENSEMBL_ID = re.compile(r"(ENSG[0-9]{11})(?:\.[0-9]+)?(?:_\w+)?", re.IGNORECASE)
_WHOLE = re.compile(r"([0-9]{1,9})(?:\.0)?")
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?e\+?[0-9]{1,2}")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*(?:e[+-]?[0-9]+)?", re.IGNORECASE)
_FORMULA = re.compile(r'="(.*)"')
_MONTH = "jan|feb|mar|mär|mrz|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez"
_DATE = re.compile(
    rf"[0-9]{{1,2}}[-. ]{{1,2}}(?:{_MONTH})\.?|(?:{_MONTH})[- ][0-9]{{2}}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?: 00:00:00)?",
    re.IGNORECASE,
)
_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212"), "-")


def clean(cell: str) -> str:
    """Return a cell without surrounding blanks, and with plain hyphens, as HGNC writes them.

    ``="SEPT2"`` becomes ``SEPT2``: some tables use this form so that Excel does not convert the
    symbol to a date.
    """
    text = " ".join(cell.translate(_HYPHENS).split())
    formula = _FORMULA.fullmatch(text)
    return formula[1].strip() if formula else text


def is_missing(text: str) -> bool:
    """Tell whether a clean cell stands for a missing value."""
    return text.lower() in MISSING


def identifier(text: str) -> tuple[IdKind, str] | None:
    """Return the identifier in a clean cell as HGNC writes it; None if there is no unambiguous one.

    ``HGNC:9008``, ``HGNC:HGNC:9008`` (BioMart) and ``hgnc:9008.0`` are the same identifier. The
    version of an Ensembl id is dropped.
    """
    if found := _HGNC_ID.fullmatch(text):
        return "HGNC id", f"HGNC:{int(found[1])}"
    if found := _ENSEMBL_ID.fullmatch(text):
        return "Ensembl id", found[1].upper()
    if found := _ENTREZ_ID.fullmatch(text):
        return "Entrez id", str(int(found[1]))
    return None


def is_number(text: str) -> bool:
    """Tell whether a clean cell is a number of any kind. No symbol is a number."""
    return _NUMBER.fullmatch(text) is not None


def number(text: str) -> int | None:
    """Return the id in a clean cell that holds a bare number; None for any other cell.

    pandas writes ``9008.0`` in a column with missing values. R writes ``1e+05`` for 100000, but
    only if that is shorter. Other numbers with an exponent were rounded by a spreadsheet and are
    rejected.
    """
    if found := _WHOLE.fullmatch(text):
        return int(found[1])
    if _SCIENTIFIC.fullmatch(text):
        value = Decimal(text)
        plain = f"{value:f}"
        if value == value.to_integral_value() and len(text) < len(plain) <= 9:  # noqa: PLR2004 - digits of an id
            return int(value)
    return None


def is_date(text: str) -> bool:
    """Tell whether a clean cell is a date. Spreadsheets convert SEPT2, MARCH1 and DEC1 to dates."""
    return _DATE.fullmatch(text) is not None
