"""The changes by runs over the sandbox's sources."""

from collections import Counter

from app.annotation.data import changes
from app.annotation.data.changes import ChangeRequest
from app.annotation.data.changes.views import Change
from tests.integration.pipeline.conftest import GENES, Annotator

ANOTHER = """
UPDATE annotations SET data = jsonb_set(data, '{germline,pathogenic}', '99999')
WHERE source = 'clinvar' AND state = 'found' AND gene_id <= 20
"""
"""Makes stored answers differ from what the source says."""

MOVED = """
UPDATE annotations SET data = data || '{"last_evaluated": "1999-01-01"}'
WHERE source = 'clinvar' AND state = 'found' AND gene_id > 20
"""


ANOTHER_NAME = """UPDATE annotations SET data = data || '{"name": "a"}' WHERE gene_id = 1"""


async def read(annotator: Annotator, **asked: object) -> list[Change]:
    async with changes.reading(annotator.bench.db) as connection:
        selection = await changes.parse_request(connection, ChangeRequest(**asked))  # type: ignore[arg-type]
        found, _ = await changes.page(connection, selection, 100_000)
    return found


async def test_the_changes_of_a_run_are_those_that_it_counted(annotator: Annotator) -> None:
    first = await annotator.run("clinvar")
    kinds = Counter(each.kind for each in await read(annotator, run=first.id))
    assert kinds == {"first answer": GENES}
    await annotator.change(ANOTHER)
    await annotator.change(MOVED)
    second = await annotator.run("clinvar", mode="full")

    counted = (await annotator.progress(second.id))["clinvar"]["changed"]
    found = await read(annotator, run=second.id, moving=True)
    assert len(found) == counted > 0
    assert {each.run_id for each in found} == {second.id}
    told = await read(annotator, run=second.id)
    assert 0 < len(told) < counted
    for each in told:
        assert [field.field for field in each.fields] == ["clinvar.germline.pathogenic"]
        assert f"{each.symbol} clinvar: pathogenic 99999 -> " in each.text
    # the first run also stored the answers that the second one replaced
    assert len(await read(annotator, run=first.id)) == GENES


async def test_a_run_that_changed_an_answer_twice_is_compared_as_a_whole(
    annotator: Annotator,
) -> None:
    await annotator.run("hgnc")
    await annotator.change(
        'UPDATE annotations SET data = data || \'{"name": "a"}\' WHERE gene_id = 1'
    )
    second = await annotator.run("hgnc", mode="full")
    (change,) = await read(annotator, run=second.id)
    # as if the attempt before the last one had stored something else
    await annotator.change(
        'INSERT INTO annotation_history SELECT gene_id, source, state, data || \'{"name": "b"}\','
        " release, valid_to, valid_to + interval '1 microsecond', run_id, rollback_id, run_id,"
        " fetched_at, fetched_run_id, origin_ids, origin_since FROM annotation_history"
    )
    assert (await read(annotator, run=second.id))[0].text == change.text
