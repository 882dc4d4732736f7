from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.base import FileSource, Source


async def answers(source: Source, genes: list[Gene]) -> dict[int, Answer]:
    assert isinstance(source, FileSource)
    async with aclosing(source.bulk(genes)) as parts:
        return {each.gene_id: each async for part in parts for each in part}


async def test_links_are_found_from_both_sides(
    source: Callable[[str], Source], genes: list[Gene]
) -> None:
    string = source("string")
    assert isinstance(string, FileSource)
    found = await answers(string, genes)

    places = {gene.hgnc_id: gene.id - 1 for gene in genes}
    absent = {each.gene_id - 1 for each in found.values() if each.state == "absent"}
    assert absent == {place for place in places.values() if place % 20 == 13}
    by_gene: dict[str, Any] = {gene.hgnc_id: found[gene.id].data for gene in genes}
    lonely = by_gene[genes[17].hgnc_id]
    assert (lonely["partners_400"], lonely["strongest_partners"]) == (0, [])
    assert len(by_gene[genes[7].hgnc_id]["proteins"]) == 2
    middle = genes[60]
    for partner in by_gene[middle.hgnc_id]["strongest_partners"]:
        theirs = by_gene[partner["hgnc_id"]]["strongest_partners"]
        scores = {each["hgnc_id"]: each["score"] for each in theirs}
        assert scores[middle.hgnc_id] == partner["score"]
        nameless = places[partner["hgnc_id"]] % 140 == 139
        assert partner["symbol"] == (None if nameless else genes[places[partner["hgnc_id"]]].symbol)
