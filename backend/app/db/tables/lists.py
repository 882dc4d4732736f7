"""Lists of genes that people name."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Table, Text

from app.db.tables.columns import at, metadata

gene_lists = Table(
    "gene_lists",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("note", Text),
    Column("file_name", Text, comment="file that the list was read from"),
    Column("by", Text, nullable=False, comment="who added the list, or changed it last"),
    at("created_at", default_now=True),
    at("updated_at", default_now=True),
)

gene_list_genes = Table(
    "gene_list_genes",
    metadata,
    Column(
        "list_id", BigInteger, ForeignKey("gene_lists.id", ondelete="CASCADE"), primary_key=True
    ),
    Column(
        "hgnc_id",
        Text,
        primary_key=True,
        comment="HGNC id of a gene, which may not be in the table genes",
    ),
)
