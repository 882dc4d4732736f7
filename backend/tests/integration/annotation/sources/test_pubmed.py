from collections.abc import Callable

from app.annotation.sources.answers import Gene
from app.annotation.sources.base import FileSource, Source


async def test_genes_with_articles_are_found(
    source: Callable[[str], Source], genes: list[Gene]
) -> None:
    pubmed = source("pubmed")
    assert isinstance(pubmed, FileSource)
    answers = [each async for part in pubmed.bulk(genes) for each in part]

    absent = {each.gene_id for each in answers if each.state == "absent"}
    # the sandbox has no article about one gene of 40; ids count from 1
    assert absent == {gene.id for gene in genes if (gene.id - 1) % 40 == 21}
    for each in answers:
        if each.data is not None:
            newest = each.data["newest_pmids"]
            assert newest == sorted(set(newest), reverse=True)
            assert len(newest) == min(20, each.data["articles"])
    assert len(pubmed.files) == 1
    assert pubmed.files[0].genes == len(genes) - len(absent)
