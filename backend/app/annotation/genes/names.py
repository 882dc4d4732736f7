"""Resolves the names in a gene list to genes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from app.annotation.genes.cells import Kind, is_date, is_missing, is_number
from app.annotation.genes.columns import Row
from app.annotation.sources.hgnc import APPROVED, Record, Withdrawn

ProblemKind = Literal["ambiguous", "withdrawn", "unknown", "number", "empty"]
NoteKind = Literal[
    "previous symbol", "alias", "merged", "other symbol", "other id", "unknown id", "unread id"
]


@dataclass(frozen=True, slots=True)
class GeneRow:
    """The stored columns of a gene."""

    hgnc_id: str
    symbol: str
    ensembl_gene_id: str | None
    entrez_id: str | None


@dataclass(frozen=True, slots=True)
class Remark:
    """A problem or a note about a line of a gene list.

    Args:
        line: the line number, counted from 1.
        found: the names in the line.
        kind: the kind of problem (the gene is not imported) or note (it is imported).
        detail: the explanation, without a full stop.
    """

    line: int
    found: str
    kind: ProblemKind | NoteKind
    detail: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The gene of a row, and notes on the row's names."""

    gene: GeneRow
    notes: tuple[Remark, ...] = ()


class Names:
    """HGNC's names of genes.

    The precedence is: HGNC id, Entrez id, Ensembl id, approved symbol, previous symbol, alias. If
    HGNC does not list an Entrez or Ensembl id, the next name of the row decides. If HGNC does not
    list an HGNC id, the row is a problem, because its other names may be wrong as well. Symbols are
    compared case-insensitively: no two symbols of HGNC differ in case alone.
    """

    def __init__(self, records: Iterable[Record], withdrawn: Iterable[Withdrawn]) -> None:
        self._genes: dict[str, GeneRow] = {}
        self._approved: dict[str, GeneRow] = {}
        self._previous: defaultdict[str, list[GeneRow]] = defaultdict(list)
        self._aliases: defaultdict[str, list[GeneRow]] = defaultdict(list)
        self._entrez: defaultdict[str, list[GeneRow]] = defaultdict(list)
        self._ensembl: defaultdict[str, list[GeneRow]] = defaultdict(list)
        for record in records:
            if record.status != APPROVED:
                continue
            gene = gene_row(record)
            self._genes[gene.hgnc_id] = gene
            self._approved[_key(gene.symbol)] = gene
            if gene.entrez_id is not None:
                self._entrez[gene.entrez_id].append(gene)
            if gene.ensembl_gene_id is not None:
                self._ensembl[gene.ensembl_gene_id].append(gene)
            for symbol in record.prev_symbol:
                self._previous[_key(symbol)].append(gene)
            for symbol in record.alias_symbol:
                self._aliases[_key(symbol)].append(gene)
        self._withdrawn: dict[str, Withdrawn] = {}
        for entry in withdrawn:
            self._withdrawn[entry.hgnc_id] = entry
            self._withdrawn.setdefault(_key(entry.symbol), entry)

    def is_symbol(self, name: str) -> bool:
        """Tell whether a gene has or had this symbol or alias."""
        key = _key(name)
        return bool(self._meant_by(name)) or key in self._withdrawn

    def resolve(self, row: Row) -> Resolved | Remark:
        """Return the gene of a row, or the problem that prevents it."""
        if row.hgnc_id is not None:
            return self._by_hgnc_id(row, row.hgnc_id)
        unknown: list[str] = []
        for kind, of, genes in self._by_ids(row):
            if found := self._one_of(row, kind, of, genes):
                return found
            unknown.append(f"{kind} {of}")
        if row.symbol is not None:
            named = self._by_symbol(row, row.symbol)
            if isinstance(named, Remark):
                return named
            return Resolved(named.gene, (*named.notes, *_passed_over(row, unknown)))
        if unknown:
            detail = f"HGNC lists no gene with the {' or the '.join(unknown)}"
            return Remark(row.line, row.text, "unknown", detail)
        return Remark(row.line, row.text, "empty", "no gene id and no symbol")

    def _by_hgnc_id(self, row: Row, hgnc_id: str) -> Resolved | Remark:
        gene = self._genes.get(hgnc_id)
        if gene is None:
            return self._missing(row, hgnc_id)
        return Resolved(gene, tuple(self._contradictions(row, gene, hgnc_id)))

    def _one_of(
        self, row: Row, kind: Kind, of: str, genes: list[GeneRow]
    ) -> Resolved | Remark | None:
        """Choose the gene with this id. If several genes have it, the symbol decides."""
        if len(genes) > 1 and row.symbol is not None:
            meant = self._meant_by(row.symbol)
            genes = [gene for gene in genes if gene in meant] or genes
        if len(genes) == 1:
            return Resolved(genes[0], tuple(self._contradictions(row, genes[0], of)))
        if genes:
            detail = f"the {kind} of each of {', '.join(map(_name, genes))}"
            return Remark(row.line, row.text, "ambiguous", detail)
        return None

    def _by_ids(self, row: Row) -> Iterator[tuple[Kind, str, list[GeneRow]]]:
        if row.entrez_id is not None:
            yield "Entrez id", row.entrez_id, self._entrez.get(row.entrez_id, [])
        if row.ensembl_gene_id is not None:
            yield "Ensembl id", row.ensembl_gene_id, self._ensembl.get(row.ensembl_gene_id, [])

    def _contradictions(self, row: Row, gene: GeneRow, counts: str) -> Iterator[Remark]:
        """Yield a note for each name of a row that names another gene than the id used."""
        if row.symbol is not None and gene not in self._meant_by(row.symbol):
            detail = (
                f"{counts} is {gene.symbol}, which never had the name {row.symbol}; the id was used"
            )
            yield Remark(row.line, row.text, "other symbol", detail)
        for kind, of, genes in self._by_ids(row):
            if genes and gene not in genes:
                others = ", ".join(map(_name, genes))
                detail = (
                    f"{counts} is {gene.symbol}, and the {kind} {of} is {others}; {counts} was used"
                )
                yield Remark(row.line, row.text, "other id", detail)

    def _by_symbol(self, row: Row, symbol: str) -> Resolved | Remark:
        if is_number(symbol):
            detail = "a number is not a symbol; name the column after its ids, such as entrez_id"
            return Remark(row.line, row.text, "number", detail)
        key = _key(symbol)
        approved = self._approved.get(key)
        if approved is not None:
            return Resolved(approved)
        kinds: tuple[tuple[NoteKind, dict[str, list[GeneRow]]], ...] = (
            ("previous symbol", self._previous),
            ("alias", self._aliases),
        )
        for kind, names in kinds:
            genes = list(dict.fromkeys(names.get(key, ())))
            if len(genes) == 1:
                detail = f"a {kind} of {_name(genes[0])}".replace("a alias", "an alias")
                return Resolved(genes[0], (Remark(row.line, row.text, kind, detail),))
            if genes:
                detail = f"a {kind} of each of {', '.join(map(_name, genes))}"
                return Remark(
                    row.line, row.text, "ambiguous", detail.replace("a alias", "an alias")
                )
        return self._missing(row, key)

    def _missing(self, row: Row, key: str) -> Remark:
        entry = self._withdrawn.get(key)
        if entry is None:
            detail = "HGNC has no such gene"
            if is_date(key):
                detail += "; spreadsheets turn symbols such as SEPT2 and MARCH1 into dates"
            return Remark(row.line, row.text, "unknown", detail)
        into = ", ".join(map(str, entry.merged_into or ()))
        merged = f", merged into {into}" if into else ""
        detail = f"{entry.symbol} ({entry.hgnc_id}) was withdrawn{merged}"
        return Remark(row.line, row.text, "withdrawn", detail)

    def _meant_by(self, symbol: str) -> list[GeneRow]:
        key = _key(symbol)
        approved = self._approved.get(key)
        return [
            *([approved] if approved else []),
            *self._previous.get(key, ()),
            *self._aliases.get(key, ()),
        ]


def gene_row(record: Record) -> GeneRow:
    """Return the stored columns of a record."""
    return GeneRow(record.hgnc_id, record.symbol, record.ensembl_gene_id, record.entrez_id)


def _passed_over(row: Row, unknown: Sequence[str]) -> Iterator[Remark]:
    """Yield a note for each unusable id of a row whose symbol was used."""
    for which in unknown:
        detail = f"HGNC lists no gene with the {which}; the symbol was used"
        yield Remark(row.line, row.text, "unknown id", detail)
    for column, cell in row.unread:
        what = "no value" if is_missing(cell) else "not a gene id"
        detail = f"{cell} in the column {column} is {what}; the symbol was used"
        yield Remark(row.line, row.text, "unread id", detail)


def _key(symbol: str) -> str:
    return symbol.strip().upper()


def _name(gene: GeneRow) -> str:
    return f"{gene.symbol} ({gene.hgnc_id})"
