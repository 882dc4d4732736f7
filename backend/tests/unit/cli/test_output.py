import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from app.cli.output import cells, duration, event_line, table
from app.core.runs.shapes import RunEvent


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"),
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (12.2, "12 s"),
        (59.6, "1 min 00 s"),
        (80, "1 min 20 s"),
        (3_719.9, "1 h 02 min"),
        (86_400, "24 h 00 min"),
    ],
)
def test_a_duration_is_formatted_for_people(seconds, words) -> None:
    assert duration(seconds) == words


def happened(event: str, actor: str | None = None, **detail) -> str:
    at = datetime(2025, 11, 23, tzinfo=UTC)
    return event_line(RunEvent(id=1, at=at, epoch=1, event=event, actor=actor, detail=detail))


def test_an_event_is_a_line() -> None:
    covers = happened("created", "ada@lab3, CLI", covers=["hgnc", "clinvar"])
    assert covers == "created by ada@lab3, CLI: epoch 1, covers hgnc, clinvar"
    assert happened("cancelled") == "cancelled (actor not recorded): epoch 1"
    lost = happened("lost", reason="its session is gone", worker=3)
    assert lost == "lost: epoch 1, worker 3, its session is gone"
    terms = happened("unknown terms", source="clinvar", terms={"VUS-extreme": 12, "Worse": 1})
    files = [{"name": "gnomad", "rows": 2, "rows_before": 4}]
    held = happened("held", source="gnomad", files=files, examples=["TTN"], reason="2 rows, not 4")
    assert held == "held: epoch 1, source gnomad, files gnomad, examples TTN, 2 rows, not 4"
    assert terms == "unknown terms: epoch 1, source clinvar, terms 'VUS-extreme' (12), 'Worse' (1)"


def test_cells_are_folded_and_shown_literally() -> None:
    listed = table("what", "why")
    listed.add_row(*cells("[red]x[/red]", "long " * 40))
    console = Console(file=io.StringIO(), width=80)
    console.print(listed)
    text = console.file.getvalue()
    assert "[red]x[/red]" in text
    assert text.count("long") == 40
    assert all(len(line) <= 80 for line in text.splitlines())
