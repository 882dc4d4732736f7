import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import TextClause

import app
from app.core.runs import transitions
from app.core.runs.events import Event

APP = Path(app.__file__).parent

WRITES_STATE = re.compile(
    r"""
    UPDATE \s+ (ONLY\s+)? runs \b (\s+ (AS\s+)? \w+)? \s+ SET \b [^;]*? \b state \s* = [^=]
    | INSERT \s+ INTO \s+ runs \b
    | \b (update|insert) \(\s* (tables\.)? runs \b
    | \b runs \. (update|insert) \(
    """,
    re.VERBOSE | re.IGNORECASE,
)

REMOVES = re.compile(
    r"DELETE\s+FROM\s+runs\b|\bdelete\(\s*(tables\.)?runs\b|\bruns\.delete\(", re.IGNORECASE
)

STATEMENTS = {
    name: value for name, value in vars(transitions).items() if isinstance(value, TextClause)
}


def writes_state(text: str) -> bool:
    """Whether any statement in a module changes the state of a run, before its WHERE."""
    return any(
        not re.search(r"\bWHERE\b", found[0].partition("SET")[2])
        for found in WRITES_STATE.finditer(text)
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE runs SET state = 'failed' WHERE id = 1",
        "UPDATE runs r SET epoch = 2, state = CASE WHEN true THEN 'queued' END",
        "update runs as r\n   set\n state='queued'",
        "INSERT INTO runs (task) VALUES ('x')",
        "update(tables.runs)",
        "runs.insert()",
    ],
)
def test_a_statement_that_changes_the_state_is_recognized(statement: str) -> None:
    assert writes_state(statement)


def modules_that(do: Callable[[str], object]) -> list[str]:
    """Return the modules, except migrations, whose text does something."""
    return [
        file.relative_to(APP).as_posix()
        for file in sorted(APP.rglob("*.py"))
        if "migrations" not in file.parts and do(file.read_text(encoding="utf-8"))
    ]


def test_no_other_module_changes_the_state_of_a_run() -> None:
    assert modules_that(writes_state) == ["core/runs/transitions.py"]


def test_runs_are_removed_only_if_their_counts_for_the_metrics_are_kept() -> None:
    assert modules_that(REMOVES.search) == ["core/runs/totals.py"]


def test_the_transitions_are_those_of_the_design() -> None:
    assert list(STATEMENTS) == [
        *("CREATE", "CLAIM", "SUCCEED", "FAIL", "RETRY_LATER", "TIME_OUT", "INTERRUPT", "WAIT"),
        *("TAKE_FROM_DEAD", "RELEASE", "CANCEL", "REOPEN"),
    ]


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_transition_records_the_events_that_its_description_names(name: str) -> None:
    source = Path(transitions.__file__).read_text(encoding="utf-8")
    description = re.search(
        rf'^{name} = text\(.*?^\)\n"""(.*?)"""', source, re.MULTILINE | re.DOTALL
    )
    assert description is not None
    assert re.search(r"Called by\s+`", description[1])
    named = set(re.findall(r"`([a-z ]+)`", description[1].partition("Event:")[2])) & set(Event)
    sql = STATEMENTS[name].text
    written = {
        event for event in Event if re.search(rf"INSERT INTO run_events.*'{event}'", sql, re.DOTALL)
    }
    assert named == written != set()


def test_an_event_that_changes_the_state_of_a_run_belongs_to_a_transition() -> None:
    written = "\n".join(statement.text for statement in STATEMENTS.values())
    assert {event for event in Event if f"'{event}'" not in written} == {
        Event.FENCED,
        Event.HELD,
        Event.ACCEPTED,
        Event.RELEASE_ARRIVED,
        Event.UNKNOWN_TERMS,
    }


def test_every_event_that_is_recorded_anywhere_has_one_of_the_names() -> None:
    sources = (file.read_text(encoding="utf-8") for file in APP.rglob("*.py"))
    # the name is the first text among the values
    recorded = [re.findall(r"INSERT INTO run_events\b[^']*'([^']*)'", each) for each in sources]
    names = [name for each in recorded for name in each]
    assert len(names) > len(STATEMENTS)
    assert set(names) <= set(Event)
