"""Finds out which gene a name in a list means."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from app.annotation.gene_files import Row
from app.annotation.hgnc_records import APPROVED, Record, Withdrawn

ProblemKind = Literal["ambiguous", "withdrawn", "unknown", "empty"]
NoteKind = Literal["previous symbol", "alias", "other symbol"]


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
    note: Remark | None = None


class Names:
    """HGNC's names: an id before an approved symbol, before a previous one, before an alias.

    Symbols are compared without regard to case: HGNC has no two that differ in nothing else.
    """

    def __init__(self, records: Iterable[Record], withdrawn: Iterable[Withdrawn]) -> None:
        self._genes: dict[str, GeneRow] = {}
        self._approved: dict[str, GeneRow] = {}
        self._previous: defaultdict[str, list[GeneRow]] = defaultdict(list)
        self._aliases: defaultdict[str, list[GeneRow]] = defaultdict(list)
        for record in records:
            if record.status != APPROVED:
                continue
            gene = gene_row(record)
            self._genes[gene.hgnc_id] = gene
            self._approved[_key(gene.symbol)] = gene
            for symbol in record.prev_symbol:
                self._previous[_key(symbol)].append(gene)
            for symbol in record.alias_symbol:
                self._aliases[_key(symbol)].append(gene)
        self._withdrawn: dict[str, Withdrawn] = {}
        for entry in withdrawn:
            self._withdrawn[entry.hgnc_id] = entry
            self._withdrawn.setdefault(_key(entry.symbol), entry)

    def resolve(self, row: Row) -> Resolved | Remark:
        """Find the gene of a row, or say why there is none."""
        if row.hgnc_id is not None:
            return self._by_id(row, row.hgnc_id)
        if row.symbol is not None:
            return self._by_symbol(row, row.symbol)
        return Remark(row.line, row.text, "empty", "no HGNC id and no symbol")

    def _by_id(self, row: Row, hgnc_id: str) -> Resolved | Remark:
        gene = self._genes.get(hgnc_id)
        if gene is None:
            return self._missing(row, hgnc_id)
        if row.symbol is None or gene in self._meant_by(row.symbol):
            return Resolved(gene)
        detail = f"{hgnc_id} is {gene.symbol}, which was never called {row.symbol}; the id counts"
        return Resolved(gene, Remark(row.line, row.text, "other symbol", detail))

    def _by_symbol(self, row: Row, symbol: str) -> Resolved | Remark:
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
                return Resolved(genes[0], Remark(row.line, row.text, kind, detail))
            if genes:
                detail = f"a {kind} of each of {', '.join(map(_name, genes))}"
                return Remark(
                    row.line, row.text, "ambiguous", detail.replace("a alias", "an alias")
                )
        return self._missing(row, key)

    def _missing(self, row: Row, key: str) -> Remark:
        entry = self._withdrawn.get(key)
        if entry is None:
            return Remark(row.line, row.text, "unknown", "HGNC has no such gene")
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


def _key(symbol: str) -> str:
    return symbol.strip().upper()


def _name(gene: GeneRow) -> str:
    return f"{gene.symbol} ({gene.hgnc_id})"
