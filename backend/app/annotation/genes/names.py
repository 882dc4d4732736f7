"""Finds out which gene a name in a list means."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from app.annotation.genes.cells import Kind, is_date, is_missing, is_number
from app.annotation.genes.columns import Row
from app.annotation.sources.hgnc import APPROVED, Record, Withdrawn

ProblemKind = Literal["ambiguous", "withdrawn", "unknown", "number", "empty"]
NoteKind = Literal[
    "previous symbol", "alias", "other symbol", "other id", "unknown id", "unread id"
]


@dataclass(frozen=True, slots=True)
class GeneRow:
    """What is stored of a gene."""

    hgnc_id: str
    symbol: str
    ensembl_gene_id: str | None
    entrez_id: str | None


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a line of a gene list that its owner should know.

    Args:
        line: counted from 1.
        found: what the line has.
        kind: a problem, and the gene is not imported; or a note, and it is.
        detail: in words.
    """

    line: int
    found: str
    kind: ProblemKind | NoteKind
    detail: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The gene that a row means, and what is odd about how it is named."""

    gene: GeneRow
    notes: tuple[Remark, ...] = ()


class Names:
    """HGNC's names: an id before an approved symbol, before a previous one, before an alias.

    Of ids, HGNC's own comes before NCBI's and Ensembl's. An id of theirs that HGNC does not list
    leaves the row to its other names; one of HGNC's own is wrong, and so may be the row.
    Symbols are compared without regard to case: HGNC has no two that differ in nothing else.
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
        """Tell whether a gene has, or had, that symbol or alias."""
        key = _key(name)
        return bool(self._meant_by(name)) or key in self._withdrawn

    def resolve(self, row: Row) -> Resolved | Remark:
        """Find the gene of a row, or say why there is none."""
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
        return Remark(row.line, row.text, "empty", "no id of a gene and no symbol")

    def _by_hgnc_id(self, row: Row, hgnc_id: str) -> Resolved | Remark:
        gene = self._genes.get(hgnc_id)
        if gene is None:
            return self._missing(row, hgnc_id)
        return Resolved(gene, tuple(self._contradictions(row, gene, hgnc_id)))

    def _one_of(
        self, row: Row, kind: Kind, of: str, genes: list[GeneRow]
    ) -> Resolved | Remark | None:
        """Choose among the genes with an id: by the symbol, if HGNC gives it to several."""
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
        """Say which of a row's names mean other genes than the one its best id means."""
        if row.symbol is not None and gene not in self._meant_by(row.symbol):
            detail = (
                f"{counts} is {gene.symbol}, which was never called {row.symbol}; the id counts"
            )
            yield Remark(row.line, row.text, "other symbol", detail)
        for kind, of, genes in self._by_ids(row):
            if genes and gene not in genes:
                others = ", ".join(map(_name, genes))
                detail = (
                    f"{counts} is {gene.symbol}, and the {kind} {of} is {others}; {counts} counts"
                )
                yield Remark(row.line, row.text, "other id", detail)

    def _by_symbol(self, row: Row, symbol: str) -> Resolved | Remark:
        if is_number(symbol):
            detail = "a number is no symbol; name the column after its ids, such as entrez_id"
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
                detail += "; spreadsheets make dates of symbols such as SEPT2 and MARCH1"
            return Remark(row.line, row.text, "unknown", detail)
        merged = f", merged into {', '.join(entry.merged_into)}" if entry.merged_into else ""
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
    """Return what is stored of a record."""
    return GeneRow(record.hgnc_id, record.symbol, record.ensembl_gene_id, record.entrez_id)


def _passed_over(row: Row, unknown: Sequence[str]) -> Iterator[Remark]:
    """Say which ids of a row were of no use, where its symbol counts."""
    for which in unknown:
        detail = f"HGNC lists no gene with the {which}; the symbol counts"
        yield Remark(row.line, row.text, "unknown id", detail)
    for column, cell in row.unread:
        what = "no value" if is_missing(cell) else "no id of a gene"
        detail = f"{cell} in the column {column} is {what}; the symbol counts"
        yield Remark(row.line, row.text, "unread id", detail)


def _key(symbol: str) -> str:
    return symbol.strip().upper()


def _name(gene: GeneRow) -> str:
    return f"{gene.symbol} ({gene.hgnc_id})"
