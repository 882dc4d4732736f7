"""Resolves the rows of a gene list with the genes and names in the database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.genes.cells import clean, identifier, is_missing, is_number, number
from app.annotation.genes.columns import Row
from app.annotation.genes.names import NoteKind, Remark
from app.annotation.genes.resolve import NamedGene, Resolution, resolve

ROWS_PER_STATEMENT = 500
"""The number of rows in one statement, small enough not to block the event loop."""

_SUCCESSORS = text("SELECT hgnc_id, successor FROM merged_ids WHERE hgnc_id = ANY(:hgnc_ids)")

_OLD_NAMES: Mapping[str | None, tuple[NoteKind, str]] = {
    "previous symbol": ("previous symbol", "a previous symbol"),
    "alias": ("alias", "an alias"),
}


@dataclass
class Listed:
    """The genes that the rows of a list name.

    Attributes:
        genes: the genes by HGNC id. A merged gene is replaced by its successor.
        duplicates: the number of rows that name the same gene as an earlier row.
        problems: the rows that name no gene or may name several, with the reasons.
        notes: the rows whose gene was found although a name is old or contradicts an identifier.
    """

    genes: dict[str, NamedGene] = field(default_factory=dict)
    duplicates: int = 0
    problems: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)


def row_of(line: int, name: str) -> Row:
    """Return the row of a single name: an identifier, the digits of an Entrez id, or a symbol.

    Args:
        line: the line number, counted from 1.
        name: the name as typed.
    """
    text = clean(name)
    if found := identifier(text):
        kind, value = found
        return Row(
            line,
            hgnc_id=value if kind == "HGNC id" else None,
            entrez_id=value if kind == "Entrez id" else None,
            ensembl_gene_id=value if kind == "Ensembl id" else None,
        )
    if (digits := number(text)) is not None:
        return Row(line, entrez_id=str(digits))
    return Row(line) if is_missing(text) else Row(line, symbol=text)


async def resolve_rows(connection: AsyncConnection, rows: Sequence[Row]) -> Listed:
    """Find the genes of the rows of a list.

    The precedence of a row's names is: HGNC id, Entrez id, Ensembl id, symbol. Entrez and Ensembl
    ids find only genes of the database.

    Args:
        connection: the database connection.
        rows: the rows of the list.
    """
    listed = Listed()
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        part = rows[start : start + ROWS_PER_STATEMENT]
        names = await _Names.of(connection, part)
        for row in part:
            gene = names.gene_of(row, listed)
            if gene is None:
                continue
            if gene.hgnc_id in listed.genes:
                listed.duplicates += 1
            listed.genes[gene.hgnc_id] = gene
    return listed


class _Names:
    """The meanings of the names in some rows."""

    def __init__(self, meanings: Mapping[str, Resolution], merged: Mapping[str, str]) -> None:
        self._meanings = meanings
        self._merged = merged

    @classmethod
    async def of(cls, connection: AsyncConnection, rows: Sequence[Row]) -> "_Names":
        hgnc_ids = sorted({row.hgnc_id for row in rows if row.hgnc_id})
        found = await connection.execute(_SUCCESSORS, {"hgnc_ids": hgnc_ids})
        merged = {row.hgnc_id: row.successor for row in found}
        names = [name for row in rows for name in (*_ids(row), row.symbol) if name]
        unique = [*dict.fromkeys([*names, *merged.values()])]
        meanings = await resolve(connection, unique)
        return cls(dict(zip(unique, meanings, strict=True)), merged)

    def gene_of(self, row: Row, listed: Listed) -> NamedGene | None:
        """Return the gene of a row. Add problems and notes to the list."""
        found = self._meaning(row)
        if isinstance(found, Remark):
            listed.problems.append(found)
            return None
        name, meaning = found
        assert meaning.gene is not None
        gene = meaning.successor or meaning.gene
        if gene.withdrawn_at is not None:
            detail = f"HGNC has withdrawn {_shown(gene)}"
            listed.problems.append(Remark(row.line, row.text, "withdrawn", detail))
            return None
        listed.notes += self._notes(row, name, meaning, gene)
        return gene

    def _meaning(self, row: Row) -> tuple[str, Resolution] | Remark:
        """Return the name with the highest precedence and its meaning, or the problem."""
        if row.hgnc_id is not None:
            return self._by_hgnc_id(row, row.hgnc_id)
        if row.symbol is not None and is_number(row.symbol):
            detail = "a number is not a symbol; name the column after its ids, such as entrez_id"
            return Remark(row.line, row.text, "number", detail)
        names = [name for name in (row.entrez_id, row.ensembl_gene_id, row.symbol) if name]
        for name in names:
            meaning = self._meanings[name]
            if meaning.gene is not None:
                return name, meaning
            if meaning.candidates:
                genes = ", ".join(map(_shown, meaning.candidates))
                detail = f"{name} may be any of {genes}"
                return Remark(row.line, row.text, "ambiguous", detail)
        if not names:
            return Remark(row.line, row.text, "empty", "no gene id and no symbol")
        return Remark(row.line, row.text, "unknown", f"no gene is known as {' or '.join(names)}")

    def _by_hgnc_id(self, row: Row, hgnc_id: str) -> tuple[str, Resolution] | Remark:
        # an unknown id makes the row's other names doubtful
        meaning = self._meanings[hgnc_id]
        if meaning.gene is None and hgnc_id in self._merged:
            meaning = self._meanings[self._merged[hgnc_id]]
        if meaning.gene is None:
            return Remark(row.line, row.text, "unknown", f"no gene has the id {hgnc_id}")
        return hgnc_id, meaning

    def _notes(self, row: Row, name: str, meaning: Resolution, gene: NamedGene) -> Iterator[Remark]:
        """Yield notes on old names, and on names of another gene than the id."""
        merged = gene is meaning.successor or self._merged.get(name) == gene.hgnc_id
        if merged:
            yield Remark(row.line, row.text, "merged", f"merged into {_shown(gene)}")
        elif meaning.resolved_by in _OLD_NAMES:
            kind, words = _OLD_NAMES[meaning.resolved_by]
            yield Remark(row.line, row.text, kind, f"{words} of {_shown(gene)}")
        if row.symbol is None or name == row.symbol or merged:
            return
        other = self._meanings[row.symbol]
        if gene.hgnc_id not in {each.hgnc_id for each in _genes(other)}:
            detail = f"{name} is {_shown(gene)}, which has no name {row.symbol}; the id was used"
            yield Remark(row.line, row.text, "other symbol", detail)


def _ids(row: Row) -> Iterator[str]:
    yield from filter(None, (row.hgnc_id, row.entrez_id, row.ensembl_gene_id))


def _genes(meaning: Resolution) -> Iterator[NamedGene]:
    yield from filter(None, (meaning.gene, meaning.successor))
    yield from meaning.candidates


def _shown(gene: NamedGene) -> str:
    return f"{gene.symbol} ({gene.hgnc_id})"
