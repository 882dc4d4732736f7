"""How a soak's figures are shown."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tests.reliability.soak.reckoning import Reckoning, quantile

MOST_SHOWN = 20
"""Lines of each list of what went wrong."""


def show(reckoning: Reckoning, console: Console) -> None:
    """Print the faults by kind, the results, and the errors."""
    console.print(_by_kind(reckoning))
    console.print(_figures(reckoning))
    for title, list_ in (
        ("lost", reckoning.lost),
        ("doubled", reckoning.doubled),
        ("false rescues", reckoning.false_rescues),
        ("ended by themselves", reckoning.unasked),
    ):
        for line in list_[:MOST_SHOWN]:
            console.print(f"{title}: {line}", markup=False, highlight=False)


def _by_kind(reckoning: Reckoning) -> Table:
    table = Table(
        title="faults, and seconds until the runs hit were taken up again:"
        " all, and where no other fault was near"
    )
    table.add_column("fault", no_wrap=True)
    for column in ("times", "runs hit", "taken up", "median", "max", "alone", "median", "max"):
        table.add_column(column, justify="right")
    times = Counter(hit.kind for hit in reckoning.hits)
    runs: Counter[str] = Counter()
    for hit in reckoning.hits:
        runs[hit.kind] += len(hit.runs)
    for kind in sorted(times):
        mine = [each for each in reckoning.recoveries if each.kind == kind]
        table.add_row(
            *map(str, (kind, times[kind], runs[kind])),
            *_summary([each.seconds for each in mine]),
            *_summary([each.seconds for each in mine if each.alone]),
        )
    return table


def _summary(seconds: Sequence[float]) -> tuple[str, str, str]:
    if not seconds:
        return "0", "", ""
    return f"{len(seconds)}", f"{quantile(seconds, 0.5):.2f}", f"{max(seconds):.2f}"


def _figures(reckoning: Reckoning) -> Table:
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    states = ("started", "succeeded", "failed", "cancelled")
    for state in states:
        table.add_row(f"runs {state}", f"{reckoning.runs.get(state, 0):,}")
    table.add_row("genes", f"{reckoning.genes:,}")
    table.add_row("annotations committed", f"{reckoning.committed:,}")
    table.add_row("faults", f"{len(reckoning.hits):,}")
    seconds = [each.seconds for each in reckoning.recoveries]
    if seconds:
        for name, share in (("median", 0.5), ("p99", 0.99), ("max", 1.0)):
            table.add_row(f"recovery, {name}", f"{quantile(seconds, share):.2f} s")
    for source, count in reckoning.batches_twice.items():
        table.add_row(f"batches fetched twice, {source}", f"{count:,}")
    table.add_row("processes that ended by themselves", f"{len(reckoning.unasked)}")
    table.add_row("false rescues", f"{len(reckoning.false_rescues)}")
    table.add_row("lost", f"{len(reckoning.lost)}")
    table.add_row("doubled", f"{len(reckoning.doubled)}")
    return table
