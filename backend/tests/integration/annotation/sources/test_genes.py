from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.annotation.genes.importing import import_genes
from app.annotation.sources.connector import Connector
from app.core.errors import UserError
from app.db.engine import create_engine
from sandbox import Options, Sandbox


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, session="test", pool_size=2)
    yield engine
    await engine.dispose()


async def stored(engine: AsyncEngine) -> dict[str, str]:
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT hgnc_id, symbol FROM genes"))
        return {row.hgnc_id: row.symbol for row in rows}


def written(folder: Path, *lines: str) -> Path:
    path = folder / "genes.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


async def test_a_list_is_resolved_and_stored(
    sandbox: Sandbox, connect: Connector, engine: AsyncEngine, tmp_path: Path
) -> None:
    genes = sandbox.catalogue.genes
    renamed = next(gene for gene in genes[3:] if gene.previous)
    path = written(
        tmp_path,
        "symbol\thgnc_id\tnote",
        f"{genes[0].symbol}\t",
        f"\t{genes[1].hgnc_id}",
        f"{renamed.previous[0]}\t",
        f"{renamed.symbol}\t{renamed.hgnc_id}",
        f"{genes[0].symbol}\t{genes[2].hgnc_id}",
        "SYNGONE1\t",
        "\tHGNC:990002",
        "NOPE\t",
        "\t\tno gene",
    )
    report = await import_genes(path, engine=engine, connect=connect)
    assert (report.imported, report.updated, report.unchanged) == (4, 0, 0)
    assert report.duplicates == 1
    assert [(problem.line, problem.kind) for problem in report.problems] == [
        (7, "withdrawn"),
        (8, "withdrawn"),
        (9, "unknown"),
        (10, "empty"),
    ]
    assert genes[0].symbol in report.problems[1].detail
    assert [(note.line, note.kind) for note in report.notes] == [
        (4, "previous symbol"),
        (6, "other symbol"),
    ]
    expected = [genes[0], genes[1], genes[2], renamed]
    assert await stored(engine) == {gene.hgnc_id: gene.symbol for gene in expected}


async def test_importing_again_changes_only_what_has_changed(
    sandbox: Sandbox, connect: Connector, engine: AsyncEngine, tmp_path: Path
) -> None:
    path = written(tmp_path, *(gene.hgnc_id for gene in sandbox.catalogue.genes[:10]))
    await import_genes(path, engine=engine, connect=connect)
    async with engine.begin() as connection:
        old = {"old": "OLD", "id": sandbox.catalogue.genes[4].hgnc_id}
        await connection.execute(text("UPDATE genes SET symbol = :old WHERE hgnc_id = :id"), old)
    report = await import_genes(path, engine=engine, connect=connect)
    assert (report.imported, report.updated, report.unchanged) == (0, 1, 9)
    assert "OLD" not in (await stored(engine)).values()


async def test_all_protein_coding_genes_are_imported(
    sandbox: Sandbox, connect: Connector, engine: AsyncEngine
) -> None:
    report = await import_genes("hgnc", engine=engine, connect=connect)
    assert report.imported == len(sandbox.catalogue.genes)
    assert "SYNLNC1" not in (await stored(engine)).values()


async def test_an_unusable_list_changes_nothing(
    connect: Connector, engine: AsyncEngine, tmp_path: Path
) -> None:
    with pytest.raises(UserError):
        await import_genes(written(tmp_path, "symbol"), engine=engine, connect=connect)
    assert await stored(engine) == {}


async def test_an_import_reports_that_hgnc_cannot_be_reached(
    sandbox: Sandbox, connect: Connector, engine: AsyncEngine, tmp_path: Path
) -> None:
    sandbox.fault("hgnc.complete_set", "500")
    with pytest.raises(UserError, match="has no usable list of HGNC's genes"):
        await import_genes(written(tmp_path, "PKD1"), engine=engine, connect=connect)


async def test_the_real_kidney_genes_are_all_imported(
    shared_data: Path, connect: Connector, engine: AsyncEngine, tmp_path: Path
) -> None:
    path = shared_data / "genes/kidney_genes.tsv"
    with Sandbox(Options(gene_list=path, limits="off", cache_dir=tmp_path / "served")) as sandbox:
        addresses = {name.lower(): value for name, value in sandbox.settings.items()}
        real = Connector(
            connect.settings.model_copy(update={**addresses, "complete_share": 0.0}),
            connect.limiter,
            connect.http,
        )
        report = await import_genes(path, engine=engine, connect=real)
    assert (report.imported, report.duplicates, report.problems) == (3066, 0, [])
