"""The files of own tables."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db.tables.columns import at, metadata

own_tables = Table(
    "own_tables",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False, comment="name of the source"),
    Column("title", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("release", Text, nullable=False, comment="release as people read it"),
    Column("file_name", Text, nullable=False),
    Column("digest", Text, nullable=False, comment="SHA-256 of the file"),
    Column("bytes", BigInteger, nullable=False, comment="size of the file"),
    Column("rows", BigInteger, nullable=False, comment="number of rows without the header"),
    Column("genes", BigInteger, nullable=False, comment="number of distinct genes in all rows"),
    Column(
        "columns",
        JSONB,
        nullable=False,
        comment="names of the columns in their order, each with its type: number or text",
    ),
    Column(
        "keys",
        ARRAY(Text),
        nullable=False,
        comment="columns of the table genes by which the rows name their genes",
    ),
    Column("added_by", Text, nullable=False, comment="who added the file"),
    at("added_at", default_now=True),
    Column(
        "replaced_at",
        DateTime(timezone=True),
        comment="when a newer file was added or the source was removed; null for the current file",
    ),
    Index(
        "own_tables_one_current_file",
        "name",
        unique=True,
        postgresql_where=text("replaced_at IS NULL"),
    ),
)

own_rows = Table(
    "own_rows",
    metadata,
    Column(
        "table_id", BigInteger, ForeignKey("own_tables.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("line", Integer, primary_key=True, comment="line of the file, or row of the sheet"),
    Column(
        "key",
        Text,
        comment="column of the table genes by which the row names its gene; null if it names none",
    ),
    Column("value", Text, comment="the identifier, or the symbol in upper case"),
    Column("data", JSONB, nullable=False, comment="the cells by name of the column"),
    Index("own_rows_gene_idx", "table_id", "key", "value"),
)
