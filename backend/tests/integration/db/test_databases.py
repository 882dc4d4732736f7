"""The tests' own databases: what a test leaves behind does not reach another test."""

from contextlib import closing

import psycopg
import pytest

from tests.databases import Databases

GENE = "INSERT INTO genes (hgnc_id, symbol) VALUES ('HGNC:{0}', 'GENE{0}') RETURNING id"

MANY_GENES = """
INSERT INTO genes (hgnc_id, symbol)
SELECT 'HGNC:' || n, repeat('X', 50) || n FROM generate_series(1, 20000) n
"""


def used(databases: Databases, statement: str = "SELECT 1") -> str:
    """Execute a statement in a database, give the database back, and return its name."""
    name = databases.take()
    with closing(psycopg.connect(databases.dsn(name), autocommit=True)) as connection:
        connection.execute(statement.format(name=name).encode())
    databases.give_back(name)
    return name


def test_rows_and_sequences_are_reset_when_a_database_is_reused(databases: Databases) -> None:
    name = used(databases, f"{GENE.format(1)}; {GENE.format(2)}")
    assert databases.take() == name
    with psycopg.connect(databases.dsn(name)) as connection:
        assert connection.execute("SELECT count(*) FROM genes").fetchone() == (0,)
        assert connection.execute(GENE.format(3).encode()).fetchone() == (1,)
    databases.give_back(name)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "ALTER TABLE genes DROP COLUMN entrez_id",
        "ALTER TABLE genes ALTER symbol SET DEFAULT 'x'",
        "DROP TABLE gene_names CASCADE",
        "DROP INDEX genes_symbol_idx",
        "GRANT SELECT ON genes TO PUBLIC",
        "GRANT SELECT (symbol) ON genes TO PUBLIC",
        "COMMENT ON TABLE genes IS 'other words'",
        "ALTER DATABASE {name} SET search_path = pg_catalog",
        "ALTER DATABASE {name} CONNECTION LIMIT 10",
        "UPDATE alembic_version SET version_num = 'other'",
        MANY_GENES,
    ],
)
def test_a_database_that_a_test_changed_otherwise_is_not_used_again(
    databases: Databases, statement: str
) -> None:
    name = used(databases, statement)
    other = databases.take()
    assert other != name
    databases.give_back(other)


def test_a_session_that_a_test_left_open_is_ended(databases: Databases) -> None:
    name = databases.take()
    with closing(psycopg.connect(databases.dsn(name))) as left:
        left.execute(GENE.format(1).encode())
        databases.give_back(name)
        with pytest.raises(psycopg.OperationalError):
            left.execute("SELECT 1")
