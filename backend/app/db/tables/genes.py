"""The genes: their identifiers, their names, and what became of them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.db.tables.columns import at, metadata

genes = Table(
    "genes",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column(
        "hgnc_id",
        Text,
        nullable=False,
        unique=True,
        comment="HGNC's identifier with its prefix, such as HGNC:1100",
    ),
    Column("symbol", Text, nullable=False, comment="HGNC's approved symbol"),
    Column("ensembl_gene_id", Text, comment="Ensembl's gene id, without its version"),
    Column("entrez_id", Text, comment="NCBI's GeneID"),
    # not now(), which may be before a snapshot that the transaction commits after
    Column(
        "created_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.clock_timestamp(),
    ),
    at("updated_at", default_now=True),
    Column(
        "successor_id",
        BigInteger,
        ForeignKey("genes.id", ondelete="SET NULL"),
        index=True,
        comment="gene that HGNC merged this one into",
    ),
    Column(
        "withdrawn_at",
        DateTime(timezone=True),
        comment="when a run first found that HGNC had withdrawn it; it is not refreshed any more",
    ),
    Index("genes_symbol_idx", text("lower(symbol)")),
    # finds beginnings, whatever the collation of the database is
    Index(
        "genes_symbol_beginning_idx",
        func.lower(text("symbol")).label("beginning"),
        postgresql_ops={"beginning": "text_pattern_ops"},
    ),
)

merged_ids = Table(
    "merged_ids",
    metadata,
    Column(
        "hgnc_id",
        Text,
        primary_key=True,
        comment="HGNC id of a gene that HGNC merged into another one",
    ),
    Column(
        "successor",
        Text,
        nullable=False,
        index=True,
        comment="HGNC id of the other gene",
    ),
)

gene_names = Table(
    "gene_names",
    metadata,
    Column(
        "hgnc_id",
        Text,
        primary_key=True,
        comment="HGNC id of an approved gene, which may not be in the table genes",
    ),
    Column("kind", Text, primary_key=True, comment="symbol (approved), previous or alias"),
    Column("name", Text, primary_key=True, comment="the name"),
    CheckConstraint("kind IN ('symbol', 'previous', 'alias')", name="kind"),
    Index(
        "gene_names_name_idx",
        func.upper(text("name")).label("beginning"),
        postgresql_ops={"beginning": "text_pattern_ops"},
    ),
)

gene_events = Table(
    "gene_events",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column(
        "gene_id",
        BigInteger,
        ForeignKey("genes.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column(
        "at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.clock_timestamp(),
        comment="when the event was noticed",
    ),
    Column(
        "event",
        Text,
        nullable=False,
        comment="what happened to the gene, such as renamed or merged",
    ),
    Column(
        "detail",
        JSONB,
        nullable=False,
        server_default="{}",
        comment="from and to, or the HGNC ids of the genes that it was merged or split into",
    ),
    Column("run_id", BigInteger, comment="run that noticed the event; null if an import did"),
    Index("gene_events_run_idx", "run_id"),
)
