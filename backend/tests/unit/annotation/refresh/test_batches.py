from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.annotation.refresh.batches import MAX_BAD_ANSWERS, ask, split_by_weight
from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.declaration import SourceInfo
from app.annotation.upstream import BadAnswer

INFO = SourceInfo(
    name="fake",
    title="Fake",
    licence="none",
    licence_url="https://example.org",
    attribution="Fake",
    hosts=(),
    batch_size=10,
    batch_weight=100,
    concurrency=1,
    freshness=timedelta(days=1),
)


def genes(number: int) -> list[Gene]:
    return [Gene(n, f"HGNC:{n}", f"G{n}") for n in range(1, number + 1)]


class Poisoned:
    """A source with a bad answer for every batch that contains one of these genes."""

    info = INFO

    def __init__(self, poison: set[int]) -> None:
        self.poison = poison
        self.asked = 0

    async def annotate(self, batch: Sequence[Gene]) -> list[Answer]:
        self.asked += 1
        if self.poison & {gene.id for gene in batch}:
            raise BadAnswer("it is poisoned")
        return [Answer(gene.id, "found", data={}) for gene in batch]


@given(st.lists(st.integers(1, 150), max_size=60))
def test_batches_contain_every_gene_once_in_order_within_the_limits(weights: list[int]) -> None:
    all_genes = genes(len(weights))
    cut = list(split_by_weight(all_genes, weights, INFO))
    assert [gene for batch in cut for gene in batch.genes] == all_genes
    assert sum(batch.weight for batch in cut) == sum(weights)
    for batch in cut:
        assert 1 <= len(batch.genes) <= INFO.batch_size
        assert batch.weight <= INFO.batch_weight or len(batch.genes) == 1


@given(st.integers(1, 200), st.data())
async def test_a_few_bad_genes_are_isolated_and_all_others_are_answered(
    number: int, data: Any
) -> None:
    poison = data.draw(st.sets(st.integers(1, number), max_size=2))
    answers = await ask(Poisoned(poison), genes(number))  # type: ignore[arg-type]
    assert {a.gene_id for a in answers if a.state == "unknown"} == poison
    assert sorted(a.gene_id for a in answers) == list(range(1, number + 1))


async def test_a_service_without_a_usable_answer_is_not_asked_about_all_genes() -> None:
    source = Poisoned(set(range(1, 201)))
    with pytest.raises(BadAnswer):
        await ask(source, genes(200))  # type: ignore[arg-type]
    assert source.asked == MAX_BAD_ANSWERS
