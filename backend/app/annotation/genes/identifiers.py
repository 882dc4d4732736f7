"""Changes the names and the identifiers of single genes.

A changed symbol or identifier is an event of the gene.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.sources.names import GeneNames

# An identifier that was not known before is no event, because nothing changes for its readers.
_CHANGE = """
    WITH new (gene_id, symbol, ensembl_gene_id, entrez_id) AS ({new}),
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


def changing(new: str) -> TextClause:
    """Return the statement that changes genes, and returns how many had other values.

    Args:
        new: a query of the columns gene_id, symbol, ensembl_gene_id and entrez_id. A symbol that is
            null is left as it is.
    """
    return text(_CHANGE.format(new=new))


_BY_ID = changing(
    "SELECT * FROM unnest(CAST(:gene_ids AS bigint[]), CAST(:symbols AS text[]),"
    " CAST(:ensembl_gene_ids AS text[]), CAST(:entrez_ids AS text[]))"
)


async def change_identifiers(
    connection: AsyncConnection, changes: Mapping[int, Mapping[str, str | None]], run_id: int
) -> None:
    """Write the symbols and identifiers of genes.

    Args:
        connection: in the attempt's transaction.
        changes: the columns of ``genes`` with their values, by the gene's id.
        run_id: the run that found them.
    """
    values: Sequence[Mapping[str, str | None]] = list(changes.values())
    await connection.execute(
        _BY_ID,
        {
            "run_id": run_id,
            "gene_ids": list(changes),
            "symbols": [each.get("symbol") for each in values],
            "ensembl_gene_ids": [each.get("ensembl_gene_id") for each in values],
            "entrez_ids": [each.get("entrez_id") for each in values],
        },
    )


_NEW_NAMES = (
    "SELECT * FROM unnest("
    "CAST(:hgnc_ids AS text[]), CAST(:kinds AS text[]), CAST(:names AS text[]))"
)

_DROP_NAMES = text(
    f"""
    DELETE FROM gene_names n WHERE n.hgnc_id = ANY(CAST(:genes AS text[]))
      AND (n.hgnc_id, n.kind, n.name) NOT IN ({_NEW_NAMES})
    """
)

_ADD_NAMES = text(
    f"INSERT INTO gene_names (hgnc_id, kind, name) {_NEW_NAMES} ON CONFLICT DO NOTHING"
)


async def write_names(connection: AsyncConnection, genes: Sequence[GeneNames]) -> None:
    """Write all names of some genes.

    Args:
        connection: in a transaction that has not changed a row of ``genes`` yet.
        genes: with their names.
    """
    rows = [(gene.hgnc_id, *each) for gene in genes for each in gene.storable()]
    values = {
        "hgnc_ids": [hgnc_id for hgnc_id, _, _ in rows],
        "kinds": [kind for _, kind, _ in rows],
        "names": [name for _, _, name in rows],
    }
    await connection.execute(_DROP_NAMES, values | {"genes": [gene.hgnc_id for gene in genes]})
    await connection.execute(_ADD_NAMES, values)
