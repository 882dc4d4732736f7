"""Finds genes of the database by typed names or a file of names."""

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
"""Maximum number of unknown names in an error."""

_NAMES_PER_STATEMENT = 1_000
"""The number of names in one statement that looks up former names."""

# Runs do not ask about withdrawn genes. The names of a merged gene find its successor, unless an
# approved gene has the name now.
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
    """Return the names in an argument, or in the file whose path it is.

    Args:
        arguments: names separated by commas or blanks, or a path.

    Raises:
        WrongUse: the file cannot be read, or there are no names.
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
            allowed="symbols or identifiers, separated by commas, or the path of a file of them",
        )
    return found


async def find_hgnc_ids(connection: AsyncConnection, names: Sequence[str]) -> list[str]:
    """Return the HGNC ids of genes of the database, sorted and unique.

    A merged gene is replaced by its successor. A previous symbol or alias finds a gene only if no
    other gene has or had this name.

    Args:
        connection: the database connection.
        names: symbols in any case, HGNC, Ensembl or Entrez ids.

    Raises:
        WrongUse: a name is unknown in the database, or several genes have it.
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
            f"no gene here has the name {shown}{more}{await _near(connection, missing[0])}",
            allowed="symbols, previous symbols, HGNC, Ensembl and Entrez ids of imported genes"
            " that HGNC has not withdrawn",
            remedy="import the genes with `just genes-import FILE`, or correct the names",
        )
    if several:
        raise WrongUse(
            f"several genes have the name {', '.join(sorted(several)[:MAX_SHOWN])}",
            allowed="names that only one gene has, such as an HGNC id (HGNC:9008)",
        )
    if not rows:
        raise WrongUse(
            "the list of genes is empty",
            allowed="names of one or more genes, or no list (null) for all genes",
        )
    return sorted(found)


async def _meanings(connection: AsyncConnection, names: Sequence[str]) -> list[Resolution]:
    found = []
    for start in range(0, len(names), _NAMES_PER_STATEMENT):
        found += await resolve(connection, names[start : start + _NAMES_PER_STATEMENT])
    return found


async def _near(connection: AsyncConnection, name: str) -> str:
    symbols = (await connection.execute(_LIKE, {"name": name[:40]})).scalars().all()
    return did_you_mean(name, symbols)
