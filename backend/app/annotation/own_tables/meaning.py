"""Which genes the rows of an own table mean. All statements here are about one table."""

from sqlalchemy import text

# Rows that name their gene by a symbol, with the genes that have it. The best kind decides: the
# approved symbol, the last symbol of a withdrawn gene, a previous symbol, an alias. Names are
# compared with those of all approved genes, not only of those in the database.
_MEANT = """
    WITH asked AS (
      SELECT DISTINCT value AS name FROM own_rows WHERE table_id = :table_id AND key = 'symbol'
    ),
    meant AS (
      SELECT a.name, n.hgnc_id,
        CASE n.kind WHEN 'symbol' THEN 0 WHEN 'previous' THEN 2 ELSE 3 END AS kind
      FROM asked a JOIN gene_names n ON upper(n.name) = a.name
      UNION
      SELECT a.name, g.hgnc_id, CASE WHEN g.withdrawn_at IS NULL THEN 0 ELSE 1 END
      FROM asked a JOIN genes g ON upper(g.symbol) = a.name
    ),
    best AS (
      SELECT name, hgnc_id, rank() OVER (PARTITION BY name ORDER BY kind) AS rank FROM meant
    )
    SELECT name, hgnc_id, count(*) OVER (PARTITION BY name) > 1 AS ambiguous
    FROM best WHERE rank = 1
    """

MEANT = text(_MEANT)

# the rows of some genes; a gene has no row here if no row means it
ROWS = text(
    """
    WITH g AS (SELECT id, hgnc_id, entrez_id, ensembl_gene_id FROM genes WHERE id = ANY(:ids)),
    m (hgnc_id, name, ambiguous) AS (
      SELECT * FROM unnest(CAST(:hgnc_ids AS text[]), CAST(:names AS text[]),
        CAST(:ambiguous AS boolean[]))
    ),
    found AS (
      SELECT g.id, r.line, r.data, false AS ambiguous FROM g JOIN own_rows r
        ON r.table_id = :table_id AND r.key = 'hgnc_id' AND r.value = g.hgnc_id
      UNION ALL
      SELECT g.id, r.line, r.data, false FROM g JOIN own_rows r
        ON r.table_id = :table_id AND r.key = 'entrez_id' AND r.value = g.entrez_id
      UNION ALL
      SELECT g.id, r.line, r.data, false FROM g JOIN own_rows r
        ON r.table_id = :table_id AND r.key = 'ensembl_gene_id' AND r.value = g.ensembl_gene_id
      UNION ALL
      SELECT g.id, r.line, r.data, m.ambiguous FROM g JOIN m ON m.hgnc_id = g.hgnc_id
        JOIN own_rows r ON r.table_id = :table_id AND r.key = 'symbol' AND r.value = m.name
    )
    SELECT id AS gene_id, count(*) FILTER (WHERE NOT ambiguous) AS number,
      CASE WHEN sum(length(CAST(data AS text))) FILTER (WHERE NOT ambiguous) <= :most
        THEN CAST(jsonb_agg(data ORDER BY line) FILTER (WHERE NOT ambiguous) AS text) END AS rows,
      min(line) FILTER (WHERE ambiguous) AS ambiguous_line
    FROM found GROUP BY id
    """
)

# what became of the rows when the table was added: in the database, elsewhere, or by line
OUTCOME = text(
    f"""
    WITH meant AS MATERIALIZED (
      SELECT m.name, min(g.hgnc_id) AS here, count(*) AS genes
      FROM ({_MEANT}) m LEFT JOIN genes g ON g.hgnc_id = m.hgnc_id GROUP BY m.name
    ),
    ids (key, value) AS MATERIALIZED (
      SELECT 'hgnc_id', hgnc_id FROM genes
      UNION SELECT 'entrez_id', entrez_id FROM genes
      UNION SELECT 'ensembl_gene_id', ensembl_gene_id FROM genes
    )
    SELECT r.line, r.value,
      CASE WHEN r.key IS NULL THEN 'no gene' WHEN m.genes > 1 THEN 'ambiguous'
        WHEN i.key IS NOT NULL OR m.here IS NOT NULL THEN 'found'
        WHEN r.key = 'symbol' AND m.name IS NULL THEN 'unknown name'
        ELSE 'not in this database' END AS outcome
    FROM own_rows r LEFT JOIN ids i ON i.key = r.key AND i.value = r.value
      LEFT JOIN meant m ON r.key = 'symbol' AND m.name = r.value
    WHERE r.table_id = :table_id ORDER BY r.line
    """
)
