"""Finds genes of the database by the names that somebody typed, or by a file of them."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.genes.columns import read_rows
from app.annotation.genes.files import read_gene_file
from app.annotation.genes.resolve import Resolution, resolve
from app.core.errors import WrongUse
from app.core.text.nearest import did_you_mean

MAX_SHOWN = 10
"""The most unknown names in an error."""

_CHUNK = 1_000
"""Names for each statement that looks for former ones."""

# No source is asked about a withdrawn gene. Its names mean the gene that it was merged into, unless
# an approved gene has the name now.
_FIND = text(
    """
    WITH approved AS (
      SELECT coalesce(s.hgnc_id, g.hgnc_id) AS means, g.withdrawn_at IS NOT NULL AS merged,
        g.hgnc_id, g.symbol, g.ensembl_gene_id, g.entrez_id
      FROM genes g LEFT JOIN genes s ON s.id = g.successor_id AND s.withdrawn_at IS NULL
      WHERE g.withdrawn_at IS NULL OR s.id IS NOT NULL),
    known AS (
      SELECT means, merged, lower(hgnc_id) AS name FROM approved
      UNION SELECT means, merged, lower(symbol) FROM approved
      UNION SELECT means, merged, lower(ensembl_gene_id) FROM approved
      UNION SELECT means, merged, entrez_id FROM approved),
    asked AS (SELECT * FROM unnest(CAST(:names AS text[])) AS a(name)),
    found AS (
      SELECT a.name, k.means, rank() OVER (PARTITION BY a.name ORDER BY k.merged) AS rank
      FROM asked a JOIN known k ON k.name = lower(a.name))
    SELECT a.name, min(f.means) AS hgnc_id, count(DISTINCT f.means) AS genes
    FROM asked a LEFT JOIN found f ON f.name = a.name AND f.rank = 1
    GROUP BY a.name
    """
)

_LIKE = text(
    "SELECT symbol FROM genes WHERE lower(left(symbol, 2)) = lower(left(:name, 2)) LIMIT 2000"
)


def names_in(arguments: str) -> list[str]:
    """Return the names that an argument lists, or those in the file that it is the path of.

    Args:
        arguments: names that are separated by commas or blanks, or a path.

    Raises:
        WrongUse: the file cannot be read, or there is no name.
    """
    path = Path(arguments)
    if path.is_file():
        rows, _ = read_rows(read_gene_file(path), lambda _: True)
        names = (r.hgnc_id or r.ensembl_gene_id or r.entrez_id or r.symbol for r in rows)
        found = [name for name in names if name]
    else:
        found = arguments.replace(",", " ").split()
    if not found:
        raise WrongUse(
            f"{arguments!r} names no gene",
            allowed="symbols or identifiers, separated by commas, or a file of them",
        )
    return found


async def find_hgnc_ids(connection: AsyncConnection, names: Sequence[str]) -> list[str]:
    """Return the HGNC ids of genes of the database, sorted and unique.

    A merged gene counts as its successor. A previous symbol or an alias names a gene if it is of no
    other gene, and no gene has it as its symbol.

    Args:
        connection: to read from.
        names: symbols in any case, HGNC, Ensembl or Entrez ids.

    Raises:
        WrongUse: a name is none of a gene in the database, or of several.
    """
    unique = sorted({name.strip() for name in names if name.strip() and "\0" not in name})
    rows = (await connection.execute(_FIND, {"names": unique})).all()
    found = {row.hgnc_id for row in rows if row.genes}
    several = {row.name for row in rows if row.genes > 1}
    missing = []
    for meaning in await _meanings(connection, [row.name for row in rows if not row.genes]):
        gene = meaning.successor or meaning.gene
        if gene is not None and gene.id is not None and gene.withdrawn_at is None:
            found.add(gene.hgnc_id)
        elif meaning.candidates:
            several.add(meaning.name)
        else:
            missing.append(meaning.name)
    if missing:
        missing.sort()
        shown = ", ".join(name[:40] for name in missing[:MAX_SHOWN])
        more = f" and {len(missing) - MAX_SHOWN:,} more" if len(missing) > MAX_SHOWN else ""
        raise WrongUse(
            f"no gene of the database is called {shown}{more}{await _near(connection, missing[0])}",
            allowed="symbols, previous symbols, HGNC, Ensembl and Entrez ids of imported genes"
            " that HGNC has not withdrawn",
            remedy="import the genes with `just genes-import FILE`, or correct the names",
        )
    if several:
        raise WrongUse(
            f"several genes are called {', '.join(sorted(several)[:MAX_SHOWN])}",
            allowed="names of one gene; an HGNC id (HGNC:9008) is always one",
        )
    if not rows:
        raise WrongUse(
            "the list of genes is empty",
            allowed="names of one or more genes, or no list (null) for all genes",
        )
    return sorted(found)


async def _meanings(connection: AsyncConnection, names: Sequence[str]) -> list[Resolution]:
    found = []
    for start in range(0, len(names), _CHUNK):
        found += await resolve(connection, names[start : start + _CHUNK])
    return found


async def _near(connection: AsyncConnection, name: str) -> str:
    symbols = (await connection.execute(_LIKE, {"name": name[:40]})).scalars().all()
    return did_you_mean(name, symbols)
