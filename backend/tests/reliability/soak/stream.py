"""Which faults come when: nothing here but a seed decides."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

GAP = 4.0
"""Seconds between two draws, on average; a fault that does not fit is left out."""

QUIET = 5.0
"""Seconds at the beginning without any."""

REST = {"worker": 2.0, "redis": 4.0, "postgres": 6.0, "api": 4.0}
"""Seconds after a fault without another fault of the same target. PostgreSQL needs longer: a worker
takes over no runs in the 5 s after its own reconnect, and some takeovers have to happen."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        name: the name in the table of results.
        on: the target.
        weight: the frequency, relative to the other kinds.
        seconds: the minimum and maximum duration; 0 for an instantaneous fault.
        lonely: whether only one such fault may be active, because fewer workers are left for
            recovery.
    """

    name: str
    on: str
    weight: int = 2
    seconds: tuple[float, float] = (0.0, 0.0)
    lonely: bool = False


KINDS = (
    Kind("worker killed", "worker", weight=8),
    Kind("worker replaced", "worker", weight=6),
    Kind("worker stopped with two signals", "worker"),
    Kind("worker frozen for less than 30 s", "worker", weight=3, seconds=(1, 20)),
    Kind("worker frozen for more than 30 s", "worker", seconds=(32, 45), lonely=True),
    Kind("worker cut off from PostgreSQL", "worker", seconds=(2, 45), lonely=True),
    Kind("Redis killed", "redis", seconds=(0.5, 12)),
    Kind("Redis stopped", "redis", seconds=(0.5, 12)),
    Kind("Redis frozen", "redis", weight=1, seconds=(1, 10)),
    Kind("Redis wiped", "redis"),
    Kind("Redis replaced by an empty one", "redis", seconds=(0.5, 5)),
    Kind("PostgreSQL crashed", "postgres", weight=3, seconds=(0, 3)),
    Kind("PostgreSQL read-only", "postgres", weight=1, seconds=(2, 8)),
    Kind("PostgreSQL without connections", "postgres", weight=1, seconds=(2, 8)),
    Kind("API killed", "api"),
    Kind("API restarted", "api", weight=1),
    Kind("upstream down", "upstream", seconds=(1, 12)),
    Kind("upstream answers badly", "upstream", weight=3),
    Kind("run cancelled and retried", "runs", weight=3, seconds=(0, 3)),
    Kind("junk in the queue", "queue", weight=2),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of the stream.

    Attributes:
        at: seconds since the beginning.
        kind: the kind of fault.
        target: the index of the target, from 0.
        seconds: the duration.
        draw: a random number from 0 to 999, for further choices.
    """

    at: float
    kind: Kind
    target: int
    seconds: float
    draw: int


def stream(seed: int, seconds: float, *, workers: int) -> Iterator[Fault]:
    """Generate the faults of a soak in chronological order. All faults end before the soak does.

    No target gets two faults at once. Only the last worker can be cut off from PostgreSQL.

    Args:
        seed: the seed. The same arguments result in the same faults.
        seconds: the duration of the soak.
        workers: the number of workers.
    """
    random = Random(seed)
    free_at: defaultdict[str, float] = defaultdict(float)
    at = QUIET
    while True:
        at += random.expovariate(1 / GAP)
        if at >= seconds:
            return
        (kind,) = random.choices(KINDS, [kind.weight for kind in KINDS])
        target, draw = random.randrange(workers), random.randrange(1_000)
        length = random.uniform(*kind.seconds)
        if kind.name == "worker cut off from PostgreSQL":
            target = workers - 1
        holds = [f"worker {target}" if kind.on == "worker" else kind.on]
        if kind.lonely:
            holds.append("lonely")
        # what does not fit is left out, the moment and all
        if at + length < seconds and all(free_at[each] <= at for each in holds):
            for each in holds:
                free_at[each] = at + length + REST.get(kind.on, 0)
            yield Fault(at, kind, target, length, draw)
