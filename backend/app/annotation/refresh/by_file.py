"""Refreshes a source from its file."""

from contextlib import aclosing, closing

from app.annotation.refresh.commits import storable_answers
from app.annotation.refresh.due import Due
from app.annotation.refresh.file_checks import FileChecks
from app.annotation.refresh.ledger import Ledger
from app.annotation.refresh.origins import origin_in_file
from app.annotation.refresh.plausibility import NotAccepted, turned_absent
from app.annotation.refresh.read_ahead import ReadAhead
from app.annotation.refresh.weights import weigh
from app.annotation.sources.base import ApiSource, FileSource, Gene


async def refresh_from_file(
    source: FileSource, due: Due, ledger: Ledger, checks: FileChecks
) -> int:
    """Store the file's answers about the genes that are due.

    The whole file is read before any answer is stored, because only then it is known how much the
    file has lost. If the source has a service, too, the genes that are unknown in the file, and
    those that turned absent, are left for the service.

    Args:
        source: whose file is read.
        due: the genes.
        ledger: commits the answers.
        checks: of the file.

    Returns:
        The number of genes that are left for the service.

    Raises:
        NotAccepted: the file is not plausible.
        Superseded, Wait, BadAnswer: see there.
    """
    genes: list[Gene] = []
    weights: dict[int, int] = {}
    async for page in due.pages():
        genes += page
        found = await weigh(source, page)
        weights.update(zip((gene.id for gene in page), found, strict=True))
    with closing(ReadAhead()) as ahead:
        # closed at once when the run is cancelled, because a child process may be reading the file
        async with aclosing(source.bulk(genes)) as lists:
            async for answers in lists:
                turned = await turned_absent(due.attempt, ledger.losses, answers)
                ahead.add(storable_answers(answers), turned)
        await checks.judge(source.files)
        ledger.losses.judge(more=len(ahead.turned_absent))
        if ahead.says_nothing and not ledger.losses.accepted:
            raise NotAccepted(
                f"{due.source}: its bulk file says nothing about {ahead.unknown:,} of"
                f" {len(genes):,} genes; no answer of the file is stored"
            )
        await checks.accept(source.files)
        origin = origin_in_file(source)
        asks_too = isinstance(source, ApiSource)
        for answers in ahead.certain() if asks_too else ahead.all():
            weight = sum(weights[answer.gene_id] for answer in answers)
            await ledger.commit(answers, weight, origin)
        return ahead.left if asks_too else 0
