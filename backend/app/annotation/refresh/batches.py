import math
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from app.annotation.refresh.weights import weigh
from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.base import ApiSource
from app.annotation.sources.declaration import SourceInfo
from app.annotation.upstream import BadAnswer

MAX_BAD_ANSWERS = 16
"""After this many unusable answers to the parts of a batch, and no usable one, the service is
considered at fault. A single bad gene cannot cause so many: halving a batch of 200 down to one gene
gives at most 9 unusable answers."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Genes of one request, and the expected work for them."""

    genes: list[Gene]
    weight: int


def split_by_weight(
    genes: Iterable[Gene], weights: Iterable[int], info: SourceInfo
) -> Iterable[Batch]:
    """Split genes into batches within the source's ``batch_size`` and ``batch_weight``.

    A gene that weighs more than ``batch_weight`` gets a batch of its own.
    """
    batch: list[Gene] = []
    total = 0
    max_weight = info.batch_weight or math.inf
    for gene, weight in zip(genes, weights, strict=True):
        if batch and (len(batch) >= info.batch_size or total + weight > max_weight):
            yield Batch(batch, total)
            batch, total = [], 0
        batch.append(gene)
        total += weight
    if batch:
        yield Batch(batch, total)


async def batches(pages: AsyncIterator[list[Gene]], source: ApiSource) -> AsyncIterator[Batch]:
    """Split pages of genes into batches."""
    async for page in pages:
        for batch in split_by_weight(page, await weigh(source, page), source.info):
            yield batch


async def ask(source: ApiSource, genes: Sequence[Gene]) -> list[Answer]:
    """Ask a source about a batch. Halve the batch to find a gene whose answer is unusable.

    Returns:
        an answer for each gene; a gene with an unusable answer is *unknown*, with the reason.

    Raises:
        BadAnswer: none of the service's answers is usable.
        Wait: the service cannot be asked now.
    """
    parts = deque([list(genes)])
    answers: list[Answer] = []
    bad, good = 0, False
    while parts:
        part = parts.popleft()
        try:
            answered = await source.annotate(part)
        except BadAnswer as error:
            bad += 1
            if not good and bad >= MAX_BAD_ANSWERS:
                raise
            if len(part) == 1:
                answers.append(Answer(part[0].id, "unknown", reason=str(error)))
            else:
                middle = len(part) // 2
                parts += [part[:middle], part[middle:]]
            continue
        good = True
        if {answer.gene_id for answer in answered} != {gene.id for gene in part}:
            raise RuntimeError(
                f"{source.info.name} gave {len(answered)} answers for {len(part)} genes"
            )
        answers += answered
    return answers
