"""Lists of genes: what their names mean, how they change, and what they limit."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.annotation.data import lists
from app.annotation.data.lists import ListChange
from app.annotation.genes.listed import resolve_rows, row_of
from app.core.errors import NotFound, WrongUse
from app.db.engine import create_engine
from app.db.tables import genes

KNOWN = """
INSERT INTO genes (hgnc_id, symbol, ensembl_gene_id, entrez_id) VALUES
  ('HGNC:9008', 'PKD1', 'ENSG00000008710', '5310'),
  ('HGNC:12363', 'TSC2', 'ENSG00000103197', '7249'),
  ('HGNC:20', 'SUCC', NULL, NULL);
INSERT INTO genes (hgnc_id, symbol, withdrawn_at, successor_id)
  SELECT 'HGNC:10', 'GONE', now(), id FROM genes WHERE symbol = 'SUCC'
  UNION ALL SELECT 'HGNC:11', 'LOST', now(), NULL;
INSERT INTO merged_ids VALUES ('HGNC:10', 'HGNC:20'), ('HGNC:12', 'HGNC:20');
INSERT INTO gene_names VALUES
  ('HGNC:9008', 'symbol', 'PKD1'), ('HGNC:12363', 'symbol', 'TSC2'), ('HGNC:20', 'symbol', 'SUCC'),
  ('HGNC:12363', 'previous', 'TSC4'), ('HGNC:9008', 'alias', 'PBP'),
  ('HGNC:30', 'symbol', 'AWAY'), ('HGNC:30', 'previous', 'WENT'),
  ('HGNC:9008', 'alias', 'BOTH'), ('HGNC:12363', 'alias', 'BOTH');
"""
"""Genes of the database, withdrawn ones, and an approved gene that is not in it (AWAY)."""


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, session="test", pool_size=2)
    async with engine.begin() as connection:
        for statement in filter(str.strip, KNOWN.split(";")):
            await connection.execute(text(statement))
    yield engine
    await engine.dispose()


@pytest.fixture
async def connection(db: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with db.begin() as connection:
        yield connection


async def put(
    connection: AsyncConnection, *names: str, name: str = "kidney", note: str | None = None
) -> ListChange:
    rows = [row_of(place, each) for place, each in enumerate(names, 1)]
    listed = await resolve_rows(connection, rows)
    return await lists.put_list(connection, name, listed, note=note, by="Ada")


async def members(connection: AsyncConnection, name: str = "kidney") -> list[str]:
    return [each.symbol for each in (await lists.get_list(connection, name)).members]


async def limited(connection: AsyncConnection, name: str = "kidney") -> list[str]:
    list_id = await lists.list_members(connection, name)
    query = select(genes.c.symbol).where(lists.in_list(list_id, genes.c.id))
    return sorted((await connection.execute(query)).scalars())


NAMES: list[tuple[str, str, tuple[str, str] | None]] = [
    ("pkd1", "PKD1", None),
    ("HGNC:9008", "PKD1", None),
    ("ENSG00000008710.21", "PKD1", None),
    ("5310", "PKD1", None),
    ("NCBIGene:5310", "PKD1", None),
    ("TSC4", "TSC2", ("previous symbol", "a previous symbol of TSC2 (HGNC:12363)")),
    ("pbp", "PKD1", ("alias", "an alias of PKD1 (HGNC:9008)")),
    ("GONE", "SUCC", ("merged", "merged into SUCC (HGNC:20)")),
    ("HGNC:10", "SUCC", ("merged", "merged into SUCC (HGNC:20)")),
    ("HGNC:12", "SUCC", ("merged", "merged into SUCC (HGNC:20)")),
    ("AWAY", "AWAY", None),
    ("WENT", "AWAY", ("previous symbol", "a previous symbol of AWAY (HGNC:30)")),
    ("HGNC:30", "AWAY", None),
]
"""Names, the gene that each means, and the note on it."""

PROBLEMS = [
    ("BOTH", "ambiguous", "BOTH may be any of PKD1 (HGNC:9008), TSC2 (HGNC:12363)"),
    ("NOPE", "unknown", "no gene is known as NOPE"),
    ("HGNC:404", "unknown", "no gene has the id HGNC:404"),
    ("ENSG00000000404", "unknown", "no gene is known as ENSG00000000404"),
    ("LOST", "withdrawn", "HGNC has withdrawn LOST (HGNC:11)"),
    ("HGNC:11", "withdrawn", "HGNC has withdrawn LOST (HGNC:11)"),
    (" ", "empty", "no gene id and no symbol"),
    ("NA", "empty", "no gene id and no symbol"),
    ("x" * 300, "unknown", "no gene is known as"),
    ("\0", "unknown", "no gene is known as"),
]
"""Names of no gene, or of several, and what is said of them."""


async def test_any_name_of_one_gene_is_resolved(connection: AsyncConnection) -> None:
    for name, symbol, note in NAMES:
        change = await put(connection, name)
        assert await members(connection) == [symbol], name
        found = [(each.kind, each.detail) for each in change.notes]
        assert found == ([note] if note else []), name
        assert [each.symbol for each in change.not_in_database] == ["AWAY"] * (symbol == "AWAY")


async def test_a_name_of_no_gene_or_of_several_is_reported_with_its_line(
    connection: AsyncConnection,
) -> None:
    change = await put(connection, "PKD1", *(name for name, _, _ in PROBLEMS))
    assert await members(connection) == ["PKD1"]
    for line, (told, expected) in enumerate(zip(change.problems, PROBLEMS, strict=True), 2):
        assert (told.line, told.kind) == (line, expected[1])
        assert expected[2] in told.detail


async def test_a_list_is_replaced_as_a_whole_and_the_same_one_changes_nothing(
    connection: AsyncConnection,
) -> None:
    first = await put(connection, "PKD1", "TSC2", "tsc2", note="ciliopathies")
    assert (first.created, first.genes, first.added, first.duplicates) == (True, 2, 2, 1)
    before = await lists.get_list(connection, "kidney")
    again = await put(connection, "TSC4", "5310")
    assert (again.created, again.changed, again.added, again.removed) == (False, False, 0, 0)
    assert await lists.get_list(connection, "kidney") == before

    other = await put(connection, "PKD1", "SUCC")
    assert (other.changed, other.added, other.removed) == (True, 1, 1)
    after = await lists.get_list(connection, "kidney")
    assert [each.symbol for each in after.members] == ["PKD1", "SUCC"]
    assert after.note == "ciliopathies"
    assert (await put(connection, "PKD1", "SUCC", note="other")).changed


async def test_lists_are_listed_and_removed(connection: AsyncConnection) -> None:
    await put(connection, "PKD1", "AWAY", name="kidney")
    await put(connection, "TSC2", name="brain")
    found = [
        (each.name, each.genes, each.in_database) for each in await lists.all_lists(connection)
    ]
    assert found == [("brain", 1, 1), ("kidney", 2, 1)]
    await lists.remove_list(connection, "brain")
    assert [each.name for each in await lists.all_lists(connection)] == ["kidney"]
    with pytest.raises(NotFound, match="there is no gene list 'kidny'; did you mean kidney"):
        await lists.get_list(connection, "kidny")
    for name in ("brain", "\0", "\ud800", "x" * 1_000):
        with pytest.raises(NotFound):
            await lists.remove_list(connection, name)


async def test_a_list_without_a_gene_is_refused_and_the_former_one_stays(
    connection: AsyncConnection,
) -> None:
    await put(connection, "PKD1")
    with pytest.raises(WrongUse, match="none of the 2 rows names a single gene; NOPE"):
        await put(connection, "NOPE", "BOTH")
    assert await members(connection) == ["PKD1"]


async def test_a_list_has_a_name_of_few_characters(connection: AsyncConnection) -> None:
    for name in ("", "Kidney", "1st", "a b", "x" * 31, "a;b", "é"):
        with pytest.raises(WrongUse, match="cannot be the name of a list"):
            await put(connection, "PKD1", name=name)


async def test_a_gene_that_another_one_was_merged_into_takes_its_place(
    connection: AsyncConnection,
) -> None:
    await put(connection, "PKD1", "TSC2", "AWAY")
    merge = "UPDATE genes SET withdrawn_at = now(), successor_id = (SELECT id FROM genes WHERE"
    await connection.execute(text(f"{merge} symbol = 'SUCC') WHERE symbol = 'TSC2'"))
    assert await limited(connection) == ["PKD1", "SUCC", "TSC2"]
    assert await lists.genes_to_annotate(connection, "kidney") == ["HGNC:20", "HGNC:9008"]
    await connection.execute(text("INSERT INTO genes (hgnc_id, symbol) VALUES ('HGNC:30', 'AWAY')"))
    assert await limited(connection) == ["AWAY", "PKD1", "SUCC", "TSC2"]


async def test_a_run_needs_a_gene_that_is_in_the_database(connection: AsyncConnection) -> None:
    await put(connection, "AWAY")
    with pytest.raises(WrongUse, match="no gene of the list kidney is in the database"):
        await lists.genes_to_annotate(connection, "kidney")


async def test_two_that_add_the_same_list_at_once_leave_one_of_both(db: AsyncEngine) -> None:
    async def add(*names: str) -> ListChange:
        async with db.begin() as connection:
            return await put(connection, *names)

    changes = await asyncio.gather(add("PKD1"), add("TSC2"))
    assert sorted(each.created for each in changes) == [False, True]
    async with db.connect() as connection:
        assert await members(connection) in (["PKD1"], ["TSC2"])
