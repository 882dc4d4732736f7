"""Runs that are limited to some genes."""

from pathlib import Path

import pytest

from app.annotation.genes.selection import names_in
from app.core.errors import Conflict, WrongUse
from tests.integration.pipeline.conftest import Annotator


async def asked_about(annotator: Annotator) -> list[str]:
    rows = await annotator.rows(
        "SELECT g.symbol FROM annotations a JOIN genes g ON g.id = a.gene_id ORDER BY g.symbol"
    )
    return [row["symbol"] for row in rows]


async def test_a_run_asks_about_the_genes_that_it_is_limited_to(annotator: Annotator) -> None:
    run = await annotator.run("ensembl", genes=["pkd1", "HGNC:9009", "ENSG00000155657", "7249"])

    assert run.state == "succeeded"
    assert await asked_about(annotator) == ["PKD1", "PKD2", "TSC2", "TTN"]
    assert (await annotator.progress(run.id))["ensembl"]["total"] == 4


async def test_requests_for_the_same_genes_are_the_same_however_they_are_named(
    annotator: Annotator,
) -> None:
    first = await annotator.request("ensembl", genes=["PKD1", "TTN"])
    again = await annotator.request("ensembl", genes=["ttn", "HGNC:9008", "PKD1"])

    assert (again.created, again.ref) == (False, first.ref)
    with pytest.raises(Conflict):
        await annotator.request("ensembl")


async def test_the_names_of_a_merged_gene_mean_its_successor(annotator: Annotator) -> None:
    # a merged gene keeps its identifiers, and its successor may have the same ones
    await annotator.change(
        "UPDATE genes g SET withdrawn_at = now(), successor_id = s.id, entrez_id = s.entrez_id"
        " FROM genes s WHERE g.symbol = 'PKD1' AND s.symbol = 'PKD2'"
    )
    await annotator.run("ensembl", genes=["PKD1", "5311"])

    assert await asked_about(annotator) == ["PKD2"]


async def test_a_previous_symbol_of_one_gene_means_this_gene(annotator: Annotator) -> None:
    await annotator.change(
        "INSERT INTO gene_names VALUES ('HGNC:9008', 'symbol', 'PKD1'),"
        " ('HGNC:9008', 'previous', 'FORMER'), ('HGNC:9008', 'alias', 'BOTH'),"
        " ('HGNC:9009', 'alias', 'BOTH'), ('HGNC:999999', 'symbol', 'ELSEWHERE')"
        " ON CONFLICT DO NOTHING"
    )
    named = await annotator.request("ensembl", genes=["former"])
    assert not (await annotator.request("ensembl", genes=["PKD1"])).created
    for name, says in (("BOTH", "several genes have the name BOTH"), ("ELSEWHERE", "no gene here")):
        with pytest.raises(WrongUse, match=says):
            await annotator.request("ensembl", genes=[name])
    assert named.created


async def test_a_symbol_that_was_given_to_another_gene_means_that_gene(
    annotator: Annotator,
) -> None:
    await annotator.change(
        "UPDATE genes g SET withdrawn_at = now(), successor_id = s.id, symbol = 'TTN'"
        " FROM genes s WHERE g.symbol = 'PKD1' AND s.symbol = 'PKD2'"
    )
    await annotator.run("ensembl", genes=["TTN"])

    assert await asked_about(annotator) == ["TTN"]


async def test_a_gene_that_was_withdrawn_cannot_be_asked_about(annotator: Annotator) -> None:
    await annotator.change("UPDATE genes SET withdrawn_at = now() WHERE symbol = 'PKD1'")
    with pytest.raises(WrongUse, match="HGNC has not withdrawn"):
        await annotator.request("ensembl", genes=["PKD1"])


async def test_unknown_names_are_listed_with_a_similar_one(annotator: Annotator) -> None:
    with pytest.raises(WrongUse) as error:
        await annotator.request("ensembl", genes=["PKD1", "PKHD9"])

    assert "no gene here has the name PKHD9; did you mean PKHD1?" in str(error.value)


async def test_an_empty_list_of_genes_is_refused(annotator: Annotator) -> None:
    with pytest.raises(WrongUse, match="the list of genes is empty"):
        await annotator.request("ensembl", genes=[])


def test_names_are_read_from_an_argument_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "genes.csv"
    file.write_text("symbol,hgnc_id\nPKD1,HGNC:9008\nTTN,\n")

    assert names_in("PKD1, TTN HGNC:1") == ["PKD1", "TTN", "HGNC:1"]
    assert names_in(str(file)) == ["HGNC:9008", "TTN"]
    with pytest.raises(WrongUse, match="names no gene"):
        names_in(" , ")
