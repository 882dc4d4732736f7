import psycopg
import pytest
from psycopg.rows import dict_row

from tests.reliability.ledger import WATCH, Ledger

RUN = """
INSERT INTO runs (task, mode, state) VALUES ('run_pipeline_task', 'full', 'running') RETURNING id
"""
GENE = "INSERT INTO genes (hgnc_id, symbol) VALUES ('HGNC:1', 'A') RETURNING id"
ANSWER = """
INSERT INTO annotations (gene_id, source, state, checked_state, checked_run_id)
VALUES (%(gene)s, 'hgnc', %(state)s, %(state)s, %(run)s)
ON CONFLICT (gene_id, source) DO UPDATE
SET checked_state = excluded.checked_state, checked_run_id = excluded.checked_run_id
"""
SOURCE = """
INSERT INTO run_sources (run_id, source, position, state, total, done)
VALUES (%(run)s, 'hgnc', 1, 'succeeded', 1, 1)
"""


class Book:
    """A run of one gene on a worker whose session is this connection's."""

    def __init__(self, connection):
        self._connection = connection
        self.ledger = Ledger(self.rows)
        connection.execute(WATCH)
        self.gene = connection.execute(GENE).fetchone()["id"]
        self.run = connection.execute(RUN).fetchone()["id"]
        connection.execute(
            "WITH w AS (INSERT INTO workers (kind, host, pid, session, version)"
            " VALUES ('arq', 'here', 1, 'mine', '1') RETURNING id)"
            " UPDATE runs SET worker_id = w.id FROM w"
        )
        self.rows(SOURCE, run=self.run)

    def rows(self, query, **values):
        cursor = self._connection.execute(query, values)
        return cursor.fetchall() if cursor.description else []

    def answer(self, state):
        self.rows(ANSWER, gene=self.gene, run=self.run, state=state)

    def reopen(self):
        self.rows(
            "INSERT INTO run_events (run_id, epoch, event) VALUES (%(run)s, 2, 'reopened')",
            run=self.run,
        )


@pytest.fixture
def book(database_url):
    with psycopg.connect(
        database_url, autocommit=True, row_factory=dict_row, application_name="mine"
    ) as connection:
        yield Book(connection)


def test_an_answer_written_once_by_the_worker_that_has_the_run_is_in_order(book):
    assert book.ledger.missing(book.run, since=book.run) == [{"source": "hgnc", "count": 1}]
    assert len(book.ledger.miscounted(book.run)) == 1
    book.answer("found")
    assert book.ledger.missing(book.run, since=book.run) == []
    assert book.ledger.miscounted(book.run) == []
    assert book.ledger.doubled() == book.ledger.unlawful() == []


@pytest.mark.parametrize(
    ("first", "reopened", "doubled"),
    [("found", True, 1), ("unknown", False, 1), ("unknown", True, 0)],
)
def test_a_second_answer_is_a_double_unless_an_operator_asked_again_for_an_unknown(
    book, first, reopened, doubled
):
    book.answer(first)
    if reopened:
        book.reopen()
    book.answer("found")
    assert len(book.ledger.doubled()) == doubled


@pytest.mark.parametrize(
    "change", ["UPDATE workers SET session = 'other'", "UPDATE runs SET state = 'cancelled'"]
)
def test_what_is_written_by_another_session_or_after_the_end_is_unlawful(book, change):
    book.rows(change)
    book.answer("found")
    assert book.ledger.unlawful() == [{"run_id": book.run, "epoch": 1, "count": 1}]
