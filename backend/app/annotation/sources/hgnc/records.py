"""HGNC's records of genes. Its REST service and its files give the same records."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec

from app.annotation.sources.hgnc.data import HgncData
from app.annotation.sources.names import GeneNames
from app.annotation.upstream.bulk_files.lines import UnusableFile, lines
from app.annotation.upstream.errors import BadAnswer

COMPLETE_SET = "tsv/tsv/hgnc_complete_set.txt"
WITHDRAWN = "tsv/tsv/withdrawn.txt"

_MAX_LINE_BYTES = 1 << 16  # bytes; real lines have some 5 KB
_MAX_BYTES = 256 * 1024**2  # real files have 17 MB

APPROVED = "Approved"
WITHDRAWN_STATUSES = frozenset({"Entry Withdrawn", "Symbol Withdrawn", "Merged/Split"})
PROTEIN_CODING = "protein-coding gene"


class Record(msgspec.Struct, frozen=True):
    """A gene, with the field names of the REST service, which leaves out fields without a value."""

    hgnc_id: str
    symbol: str
    status: str
    name: str | None = None
    locus_group: str | None = None
    locus_type: str | None = None
    location: str | None = None
    alias_symbol: tuple[str, ...] = ()
    prev_symbol: tuple[str, ...] = ()
    entrez_id: str | None = None
    ensembl_gene_id: str | None = None
    omim_id: tuple[str, ...] = ()
    uniprot_ids: tuple[str, ...] = ()
    refseq_accession: tuple[str, ...] = ()
    mane_select: tuple[str, ...] = ()
    gene_group: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether the record is of an approved gene with its Entrez id and its Ensembl id.

        A complete set in which one of these columns became empty has no such record, and is held.
        Otherwise it would remove the identifiers of all genes.
        """
        return self.status == APPROVED and None not in (self.entrez_id, self.ensembl_gene_id)

    def data(self) -> dict[str, Any]:
        """Return the annotation: every field except the status. Empty lists are included."""
        # its lists are lists, as in the answers of all other sources
        data = msgspec.convert(msgspec.structs.asdict(self), HgncData)
        return msgspec.structs.asdict(data)

    def lacking(self) -> list[str]:
        """Return the fields that have no value although every approved gene has one."""
        return [name for name in _REQUIRED if not getattr(self, name)]

    def identifiers(self) -> dict[str, str | None]:
        """Return the columns of ``genes`` that HGNC fills."""
        return {
            "symbol": self.symbol,
            "ensembl_gene_id": self.ensembl_gene_id,
            "entrez_id": self.entrez_id,
        }

    def names(self) -> GeneNames:
        """Return the gene's names."""
        return GeneNames(self.hgnc_id, self.symbol, self.prev_symbol, self.alias_symbol)


FIELDS = Record.__struct_fields__
"""The fields that are read: columns of the complete set, and ``storedFields`` of the service."""

_REQUIRED = ("symbol", "name", "locus_group", "locus_type")


class Target(msgspec.Struct, frozen=True):
    """A gene that a withdrawn one was merged into, with the status that the file states."""

    hgnc_id: str
    symbol: str
    status: str

    def __str__(self) -> str:
        return f"{self.symbol} ({self.hgnc_id})"


class Withdrawn(msgspec.Struct, frozen=True):
    """A row of ``withdrawn.txt``. ``merged_into`` is None if what stands there is not readable."""

    hgnc_id: str
    symbol: str
    status: str
    merged_into: tuple[Target, ...] | None


_LISTS = ("alias_symbol", "prev_symbol", "omim_id", "uniprot_ids", "refseq_accession",
          "mane_select", "gene_group")  # fmt: skip
_HGNC_ID = re.compile(r"HGNC:\d+", re.ASCII)
_TARGET = re.compile(r"(HGNC:\d+)\|([^|]+)\|([^|]+)", re.ASCII)


def read_records(path: Path) -> Iterator[Record]:
    """Read the complete set row by row. Columns are found by name.

    Lists are joined by pipes, and quoted when they have several elements (``"FLJ11506|p34"``). A
    row may lack its last fields when these are empty.

    Args:
        path: the path of ``hgnc_complete_set.txt``.

    Raises:
        BadAnswer: the file has other columns, or a row has no HGNC id, no symbol or no status.
    """
    rows = _rows(path, FIELDS)
    _, columns = next(rows)
    places = {name: columns.index(name) for name in FIELDS}
    for number, fields in rows:
        row = {name: _unquoted(fields[place]) for name, place in places.items()}
        if not (_HGNC_ID.fullmatch(row["hgnc_id"]) and row["symbol"] and row["status"]):
            raise BadAnswer(f"{path.name}, line {number}: no HGNC id, symbol and status")
        values: dict[str, Any] = {
            name: _split(value) if name in _LISTS else value or None for name, value in row.items()
        }
        yield Record(**values)


def read_withdrawn(path: Path) -> Iterator[Withdrawn]:
    """Read ``withdrawn.txt``: ``HGNC:6 | Merged/Split | A1S9T | HGNC:12469|UBA1|Approved``.

    Several genes in the last column are separated by ``, ``. One of them may be repeated. A last
    line without its line end is left out, because it may be cut off.

    Raises:
        BadAnswer: the file has other columns, or a row is cut off.
    """
    rows = _rows(path, ("HGNC_ID", "STATUS", "WITHDRAWN_SYMBOL"), ended=True)
    _, columns = next(rows)
    hgnc_id, symbol = columns.index("HGNC_ID"), columns.index("WITHDRAWN_SYMBOL")
    status = columns.index("STATUS")
    merged = next((i for i, name in enumerate(columns) if name.startswith("MERGED_INTO")), None)
    if merged is None:
        raise BadAnswer(f"{path.name} has no column MERGED_INTO…")
    for _, fields in rows:
        row = [_unquoted(field) for field in fields]
        yield Withdrawn(row[hgnc_id], row[symbol], row[status], _targets(row[merged]))


def _targets(field: str) -> tuple[Target, ...] | None:
    parts = [_TARGET.fullmatch(part.strip()) for part in field.split(",")] if field else []
    found = tuple(Target(*part.groups()) for part in parts if part is not None)
    return found if len(found) == len(parts) else None


def _rows(
    path: Path, required: Collection[str], *, ended: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """Yield the header and then each row with its line number, as fields that may be quoted.

    Short rows are filled up.

    Args:
        path: the path of the file.
        required: the names of columns.
        ended: whether a last line without its line end is left out.
    """
    try:
        found = lines(path, max_line=_MAX_LINE_BYTES, max_size=_MAX_BYTES)
        columns = next(found, "").rstrip("\r\n").split("\t")
        missing = [name for name in required if name not in columns]
        if missing:
            raise BadAnswer(f"{path.name} has no column {', '.join(missing)}")
        yield 1, columns
        for number, line in enumerate(found, 2):
            fields = line.rstrip("\r\n").split("\t")
            if len(fields) > len(columns):
                raise BadAnswer(f"{path.name}, line {number}: more fields than columns")
            if len(fields) < len(columns) and not line.endswith("\n"):
                raise BadAnswer(f"{path.name}, line {number}: the line is cut off")
            if ended and not line.endswith("\n"):
                return
            if any(map(str.strip, fields)):
                yield number, fields + [""] * (len(columns) - len(fields))
    except UnusableFile as error:
        raise BadAnswer(str(error)) from error
    except UnicodeDecodeError as error:
        raise BadAnswer(f"{path.name} is not UTF-8: {error.reason}") from error


def _unquoted(field: str) -> str:
    if len(field) > 1 and field[0] == field[-1] == '"':
        return field[1:-1].replace('""', '"').strip()
    return field.strip()


def _split(field: str) -> tuple[str, ...]:
    return tuple([part.strip() for part in field.split("|") if part.strip()]) if field else ()
