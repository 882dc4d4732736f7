from collections.abc import Callable
from contextlib import aclosing

import pytest

from app.annotation.sources import SOURCES
from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.base import FileSource, Source
from app.annotation.sources.connector import Connector
from app.annotation.upstream import BadAnswer
from sandbox import Sandbox


async def answers(source: Source, genes: list[Gene]) -> dict[int, Answer]:
    assert isinstance(source, FileSource)
    async with aclosing(source.bulk(genes)) as parts:
        return {each.gene_id: each async for part in parts for each in part}


async def test_genes_are_found_in_either_file_and_absent_from_both(
    source: Callable[[str], Source], genes: list[Gene]
) -> None:
    clingen = source("clingen")
    found = await answers(clingen, genes)

    in_both = next(each.data for each in found.values() if each.data and each.data["validity"])
    assert in_both["strongest_classification"]
    assert {each.state for each in found.values()} == {"found", "absent"}
    absent = {each.gene_id for each in found.values() if each.state == "absent"}
    # the sandbox has no row of the last 5 of each 20 genes; ids count from 1
    assert absent == {gene.id for gene in genes if (gene.id - 1) % 20 >= 15}
    assert not any(each.data["unknown_terms"] for each in found.values() if each.data)
    assert any(each.data and not each.data["validity"] for each in found.values())
    assert [each.rows > 0 for each in clingen.files] == [True, True]


async def test_a_probe_fails_without_a_column(connect: Connector, sandbox: Sandbox) -> None:
    sandbox.fault("clingen.dosage", "renamed")
    with pytest.raises(BadAnswer, match="no column Haploinsufficiency Score"):
        await SOURCES["clingen"].probes[1].ask(connect)
