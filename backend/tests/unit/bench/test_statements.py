from bench._statements import Statement, statements
from bench.watch import Cost, by_purpose, rows

LOG = """\
2026-11-23 18:00:00.000 UTC [1] LOG:  received SIGHUP, reloading configuration files
bench|worker a|LOG:  duration: 0.200 ms  parse <unnamed>: UPDATE workers SET heartbeat_at = now()
bench|worker a|LOG:  duration: 0.100 ms  bind <unnamed>: UPDATE workers SET heartbeat_at = now()
bench|worker a|LOG:  duration: 0.300 ms  execute <unnamed>: UPDATE workers SET heartbeat_at = now()
bench|worker b|LOG:  duration: 0.400 ms  execute _pg3_0: UPDATE workers SET heartbeat_at = now()
bench||LOG:  checkpoint starting: time
bench|worker a|LOG:  duration: 2.000 ms  statement:\x20
\tWITH corrected AS (UPDATE workers w)
\tSELECT pg_terminate_backend(a.pid)
"""


def test_a_statement_is_counted_once_however_it_was_sent() -> None:
    found = statements(LOG)
    assert [each.executed for each in found] == [False, False, True, True, True]
    last = "WITH corrected AS (UPDATE workers w) SELECT pg_terminate_backend(a.pid)"
    assert found[-1] == Statement("worker a", 2.0, executed=True, text=last)


def test_the_preparation_of_a_statement_counts_towards_its_time() -> None:
    rates, ms = by_purpose(statements(LOG), seconds=10)
    assert rates == {"heartbeat": 0.2, "end the sessions of frozen workers": 0.1}
    assert ms["heartbeat"] == 0.5


def test_the_statement_of_the_schedules_is_told_apart() -> None:
    look = "SELECT EXISTS (SELECT FROM due_ticks) AS due"
    found = [Statement("x", 0.1, executed=True, text=each) for each in (look, "SELECT 1", look)]
    cost = Cost(1, *by_purpose(found, 1), transactions=3, cpu=0, worker_cpu=0)
    assert (cost.total, cost.without_schedules) == (3, 1)


def test_an_unknown_statement_is_shown_by_its_beginning() -> None:
    found = [Statement("x", 1.0, executed=True, text="SELECT something new of everything there is")]
    cost = Cost(1, *by_purpose(found, 1), transactions=1, cpu=0, worker_cpu=0)
    first, total, *_ = rows([cost])
    assert first == ["SELECT something new of everything there", "1.00, 1.00 ms each"]
    assert total[1] == "1.0"
