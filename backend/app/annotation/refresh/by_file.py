"""Refreshes a source from its file."""

from contextlib import aclosing, closing

from app.annotation.genes.identity import follow_identity
from app.annotation.refresh.commits import storable_answers
from app.annotation.refresh.due import Due
from app.annotation.refresh.gates import Gates
from app.annotation.refresh.ledger import Ledger
from app.annotation.refresh.origins import origin_in_file
from app.annotation.refresh.read_ahead import ReadAhead
from app.annotation.refresh.weights import weigh
from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.base import ApiSource, FileSource
from app.core.process import tracing
from app.core.process.tracing.kinds import BATCH


async def refresh_from_file(source: FileSource, due: Due, ledger: Ledger, gates: Gates) -> int:
    """Store the file's answers for the due genes.

    The whole file is read before any answer is stored, because the checks compare the complete file
    with the stored answers. If the source also has a service, genes that are unknown in the file or
    newly absent from it are left to the service.

    Args:
        source: the source whose file is read.
        due: the genes that are due.
        ledger: the ledger that commits the answers.
        gates: the gates of the source.

    Returns:
        The number of genes left to the service.

    Raises:
        Held: the file looks wrong.
        Superseded: another attempt has taken over the run.
        Wait: the file cannot be downloaded now.
        BadAnswer: the file cannot be used.
    """
    genes: list[Gene] = []
    weights: dict[int, int] = {}
    async for page in due.pages():
        genes += page
        found = await weigh(source, page)
        weights.update(zip((gene.id for gene in page), found, strict=True))
    by_id = {gene.id: gene for gene in genes}
    others = 0
    with closing(ReadAhead()) as ahead:
        # closed explicitly, so that cancelling the run stops the child process that reads the file
        async with aclosing(source.bulk(genes)) as lists:
            async for answers in lists:
                turned = await gates.turned_absent(answers)
                ahead.add(storable_answers(answers), turned)
                others += sum(_identified_otherwise(by_id[each.gene_id], each) for each in answers)
        await gates.judge_files(
            source.files,
            gone=ahead.turned_absent,
            absent=() if ahead.found else ahead.absent,
            unusable=ahead.says_nothing or gates.too_many_others(genes, others),
        )
        withdrawn = await follow_identity(source, due.attempt)
        if withdrawn:
            ahead.leave_out(withdrawn)
            left = [gene.id for gene in genes if gene.id not in withdrawn]
            await ledger.expect(len(left), sum(weights[gene_id] for gene_id in left))
        origin = origin_in_file(source)
        asks_too = isinstance(source, ApiSource)
        # more genes than the gate allows have been accepted by a person
        few = asks_too and len(ahead.turned_absent) <= gates.max_gone
        again = ahead.turned_absent if few else set[int]()
        for answers in ahead.certain(but=again) if asks_too else ahead.all():
            weight = sum(weights[answer.gene_id] for answer in answers)
            with tracing.span(BATCH, {"batch.size": len(answers)}):
                await ledger.commit(answers, weight, origin)
        return ahead.unknown + len(again) if asks_too else 0


def _identified_otherwise(gene: Gene, answer: Answer) -> bool:
    """Tell whether an answer replaces an identifier that the gene has."""
    return any(
        (now := getattr(gene, column)) is not None and now != value
        for column, value in (answer.identifiers or {}).items()
    )
