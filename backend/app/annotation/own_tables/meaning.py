"""Finds the genes that the rows of an own table name. Each statement covers one table."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Text,
    and_,
    bindparam,
    case,
    column,
    func,
    or_,
    select,
    text,
)

from app.db.tables import genes, own_rows

# Rows that name their gene by a symbol, with the genes that have it. The first kind with a match
# decides: approved symbol, last symbol of a withdrawn gene, previous symbol, alias. Names are
# compared with all approved genes, not only with those in the database.
MEANT = text(
    """
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
).columns(column("name", Text), column("hgnc_id", Text), column("ambiguous", Boolean))

# the rows of some genes; genes without rows are missing
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

_MEANING = MEANT.subquery("meaning")

# for each name that means a gene
_MEANT_HERE = (
    select(
        _MEANING.c.name,
        func.min(genes.c.hgnc_id).label("here"),
        func.count().label("genes"),
    )
    .select_from(_MEANING.outerjoin(genes, genes.c.hgnc_id == _MEANING.c.hgnc_id))
    .group_by(_MEANING.c.name)
    .cte("meant")
    .prefix_with("MATERIALIZED")
)

_IDS = (
    text(
        """
        SELECT 'hgnc_id' AS key, hgnc_id AS value FROM genes
        UNION SELECT 'entrez_id', entrez_id FROM genes
        UNION SELECT 'ensembl_gene_id', ensembl_gene_id FROM genes
        """
    )
    .columns(column("key", Text), column("value", Text))
    .cte("ids")
    .prefix_with("MATERIALIZED")
)

_IS_SYMBOL = own_rows.c.key == "symbol"

# the outcome of adding the table: rows in the database, rows elsewhere, and problems by line
OUTCOME = (
    select(
        own_rows.c.line,
        own_rows.c.value,
        case(
            (own_rows.c.key.is_(None), "no gene"),
            (_MEANT_HERE.c.genes > 1, "ambiguous"),
            (or_(_IDS.c.key.is_not(None), _MEANT_HERE.c.here.is_not(None)), "found"),
            (and_(_IS_SYMBOL, _MEANT_HERE.c.name.is_(None)), "unknown name"),
            else_="not in this database",
        ).label("outcome"),
    )
    .select_from(
        own_rows.outerjoin(
            _IDS, and_(_IDS.c.key == own_rows.c.key, _IDS.c.value == own_rows.c.value)
        ).outerjoin(_MEANT_HERE, and_(_IS_SYMBOL, _MEANT_HERE.c.name == own_rows.c.value))
    )
    .where(own_rows.c.table_id == bindparam("table_id", type_=BigInteger))
    .order_by(own_rows.c.line)
)
