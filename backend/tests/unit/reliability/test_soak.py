import io
from itertools import pairwise

import pytest
from rich.console import Console

from tests.reliability.soak.faults import Hit
from tests.reliability.soak.reckoning import (
    Reckoning,
    Recovery,
    alone,
    explained,
    healthy,
    quantile,
)
from tests.reliability.soak.stream import KINDS, stream
from tests.reliability.soak.table import show

LATER = 3_600.0


@pytest.fixture
def faults():
    return list(stream(5, LATER, workers=3))


def test_a_seed_decides_everything(faults):
    assert faults == list(stream(5, LATER, workers=3))
    assert faults != list(stream(6, LATER, workers=3))


def test_an_hour_has_every_kind_and_is_over_in_time(faults):
    assert {fault.kind for fault in faults} == set(KINDS)
    assert [fault.at for fault in faults] == sorted(fault.at for fault in faults)
    assert max(fault.at + fault.seconds for fault in faults) < LATER


def test_nothing_is_hit_while_it_is_under_another_fault(faults):
    def overlapping(some):
        return [later for before, later in pairwise(some) if later.at < before.at + before.seconds]

    for target in range(3):
        mine = [fault for fault in faults if fault.kind.on == "worker" and fault.target == target]
        assert len(mine) > 20
        assert overlapping(mine) == []
    for on in ("redis", "postgres", "upstream"):
        assert overlapping([fault for fault in faults if fault.kind.on == on]) == []
    assert overlapping([fault for fault in faults if fault.kind.lonely]) == []


def test_only_the_last_worker_is_cut_off(faults):
    assert {fault.target for fault in faults if "cut off" in fault.kind.name} == {2}


def test_a_quantile_is_one_of_the_values():
    values = [float(number) for number in range(1, 101)]
    assert [quantile(values, share) for share in (0.5, 0.99, 1.0)] == [50.0, 99.0, 100.0]
    assert quantile([7.0], 0.5) == quantile([7.0], 0.99) == 7.0


def test_a_failure_is_explained_by_a_fault_at_that_time():
    hits = [Hit("upstream down", "upstream", 100, 110)]
    assert explained([101, 120], hits)
    assert not explained([101, 99], hits)
    assert not explained([101, 400], hits)


@pytest.mark.parametrize(
    ("hits", "moment", "is_healthy"),
    [
        ([], 100, True),
        ([Hit("worker killed", "worker", 90, 90, pid=8)], 100, True),
        ([Hit("worker killed", "worker", 90, 90, pid=7)], 100, False),
        ([Hit("worker killed", "worker", 101, 101, pid=7)], 100, True),
        ([Hit("worker frozen for more than 30 s", "worker", 60, 99, pid=7)], 100, False),
        ([Hit("worker frozen for less than 30 s", "worker", 85, 105, pid=7)], 100, True),
        (
            [
                Hit("worker frozen for less than 30 s", "worker", 85, 105, pid=7),
                Hit("PostgreSQL crashed", "postgres", 90, 92),
            ],
            100,
            False,
        ),
        ([Hit("worker cut off from PostgreSQL", "worker", 85, 99, pid=7)], 100, False),
        ([Hit("worker cut off from PostgreSQL", "worker", 20, 50, pid=7)], 100, True),
    ],
)
def test_a_worker_is_healthy_unless_a_fault_is_reason_to_take_its_runs(hits, moment, is_healthy):
    assert healthy(7, moment, hits) is is_healthy


def test_a_fault_is_alone_unless_another_worker_or_server_was_hit_near_it():
    hit = Hit("worker killed", "worker", 100, 100)
    junk = Hit("junk in the queue", "queue", 101, 101)
    assert alone(hit, 102, [hit, junk])
    assert alone(hit, 102, [Hit("Redis killed", "redis", 80, 90), hit])
    assert not alone(hit, 102, [Hit("Redis killed", "redis", 80, 99), hit])
    assert not alone(hit, 102, [hit, Hit("Redis wiped", "redis", 101, 101)])


def test_the_table_shows_the_figures_and_what_went_wrong():
    reckoning = Reckoning(
        runs={"started": 12, "succeeded": 11, "failed": 1},
        genes=20_000,
        committed=123_456,
        hits=[
            Hit("worker killed", "worker", 1, 1, runs=[(1, 1), (2, 1)]),
            Hit("worker killed", "worker", 9, 9),
        ],
        recoveries=[
            Recovery("worker killed", 1.25, alone=True),
            Recovery("worker killed", 2.5, alone=False),
        ],
        batches_twice={"hgnc": 2},
        lost=["run 3 is running and does not end"],
    )
    out = io.StringIO()
    show(reckoning, Console(file=out, width=120))
    rows = [
        [cell.strip() for cell in line.strip("│ \n").split("│")]
        for line in out.getvalue().splitlines()
    ]
    assert ["worker killed", "2", "2", "2", "1.25", "2.50", "1", "1.25", "1.25"] in rows
    assert ["annotations committed", "123,456"] in rows
    assert ["recovery, max", "2.50 s"] in rows
    assert ["batches fetched twice, hgnc", "2"] in rows
    assert rows[-4:-2] == [["lost", "1"], ["doubled", "0"]]
    assert rows[-1] == ["lost: run 3 is running and does not end"]
