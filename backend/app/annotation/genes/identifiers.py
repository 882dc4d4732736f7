"""Changes the names and identifiers of single genes.

Every changed symbol or identifier is recorded as an event of the gene.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.sources.names import GeneNames

# A first identifier is not an event, because no reader knew another value.
_CHANGE = text(
    """
    WITH new (gene_id, symbol, ensembl_gene_id, entrez_id) AS (
      SELECT * FROM unnest(CAST(:gene_ids AS bigint[]), CAST(:symbols AS text[]),
        CAST(:ensembl_gene_ids AS text[]), CAST(:entrez_ids AS text[]))
    ),
    old AS (
      SELECT g.id, g.symbol, g.ensembl_gene_id, g.entrez_id
      FROM genes g JOIN new ON new.gene_id = g.id
      WHERE (g.symbol, g.ensembl_gene_id, g.entrez_id) IS DISTINCT FROM
            (coalesce(new.symbol, g.symbol), new.ensembl_gene_id, new.entrez_id)
      ORDER BY g.id FOR NO KEY UPDATE OF g
    ),
    changed AS (
      UPDATE genes g SET symbol = coalesce(new.symbol, g.symbol),
        ensembl_gene_id = new.ensembl_gene_id, entrez_id = new.entrez_id, updated_at = now()
      FROM old JOIN new ON new.gene_id = old.id WHERE g.id = old.id
    ),
    events AS (
      INSERT INTO gene_events (gene_id, event, detail, run_id)
      SELECT old.id, c.event, jsonb_build_object('from', c.was, 'to', c.now),
        CAST(:run_id AS bigint)
      FROM old JOIN new ON new.gene_id = old.id CROSS JOIN LATERAL (VALUES
        ('renamed', old.symbol, coalesce(new.symbol, old.symbol)),
        ('ensembl id changed', old.ensembl_gene_id, new.ensembl_gene_id),
        ('entrez id changed', old.entrez_id, new.entrez_id)) c (event, was, now)
      WHERE c.was IS NOT NULL AND c.was IS DISTINCT FROM c.now
      ORDER BY old.id
    )
    SELECT count(*) FROM old
    """
)


class Identifiers(NamedTuple):
    """The symbol and the identifiers that a gene is to have.

    Attributes:
        gene_id: the id of the gene in the database.
        symbol: None leaves the symbol as it is.
        ensembl_gene_id: None if the gene has none.
        entrez_id: None if the gene has none.
    """

    gene_id: int
    symbol: str | None
    ensembl_gene_id: str | None
    entrez_id: str | None


async def change_identifiers(
    connection: AsyncConnection, genes: Sequence[Identifiers], run_id: int | None
) -> int:
    """Update the symbols and identifiers of genes.

    Args:
        connection: a connection with an open transaction.
        genes: with the values that they are to have. Genes that have them are left alone.
        run_id: the run that found them; None for an import of genes.

    Returns:
        How many genes had other values.
    """
    if not genes:
        return 0
    gene_ids, symbols, ensembl_gene_ids, entrez_ids = map(list, zip(*genes, strict=True))
    values = {
        "gene_ids": gene_ids,
        "symbols": symbols,
        "ensembl_gene_ids": ensembl_gene_ids,
        "entrez_ids": entrez_ids,
        "run_id": run_id,
    }
    changed: int = (await connection.execute(_CHANGE, values)).scalar_one()
    return changed


_DROP_NAMES = text(
    """
    DELETE FROM gene_names n WHERE n.hgnc_id = ANY(CAST(:genes AS text[]))
      AND (n.hgnc_id, n.kind, n.name) NOT IN (SELECT * FROM unnest(
        CAST(:hgnc_ids AS text[]), CAST(:kinds AS text[]), CAST(:names AS text[])))
    """
)

_ADD_NAMES = text(
    """
    INSERT INTO gene_names (hgnc_id, kind, name)
    SELECT * FROM unnest(
      CAST(:hgnc_ids AS text[]), CAST(:kinds AS text[]), CAST(:names AS text[]))
    ON CONFLICT DO NOTHING
    """
)


async def write_names(connection: AsyncConnection, genes: Sequence[GeneNames]) -> None:
    """Replace all names of some genes.

    Args:
        connection: a connection whose transaction has not changed ``genes`` yet.
        genes: the genes with their names.
    """
    rows = [(gene.hgnc_id, *each) for gene in genes for each in gene.storable()]
    values = {
        "hgnc_ids": [hgnc_id for hgnc_id, _, _ in rows],
        "kinds": [kind for _, kind, _ in rows],
        "names": [name for _, _, name in rows],
    }
    await connection.execute(_DROP_NAMES, values | {"genes": [gene.hgnc_id for gene in genes]})
    await connection.execute(_ADD_NAMES, values)
