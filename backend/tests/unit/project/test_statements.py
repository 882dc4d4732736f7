"""Every SQL statement can be read as a whole, and none returns all columns of a table.

A statement is a plain text or an expression of SQLAlchemy Core. A statement spliced from fragments
cannot be read anywhere as a whole.

A migration may add a column under a running process. PostgreSQL then refuses to execute a prepared
statement whose result has changed.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import app

APP = Path(app.__file__).parent

# the columns of a function such as unnest(...) are known
ALL_COLUMNS = re.compile(
    r"SELECT\s+(\w+\.)?\*(?!\s+FROM\s+unnest\()|,\s*\w+\.\*\s+FROM\b", re.IGNORECASE
)

EXCEPTIONS: Mapping[str, str] = {
    "db/migrate.py": "LOCK TABLE has no parameters, and an older database has not all of the tables"
}
"""Modules with spliced statements, and the reasons. Migrations are exempt: they are executed once,
and often change many tables in the same way."""

RAW_CONNECTIONS: Mapping[str, str] = {
    "annotation/data/export/reading.py": "a process for itself, which need not import SQLAlchemy",
    "core/postgres/backup.py": "CREATE DATABASE and CREATE SCHEMA need a quoted name",
    "core/postgres/checks.py": "the check is about two sessions, which a pool would hide",
    "core/workers/liveness.py": "the session's socket is the worker's sign of life",
    "db/connection.py": "it opens the connections of SQLAlchemy's pools",
    "db/engine.py": "it opens the connections of SQLAlchemy's pools",
}
"""Modules that open a connection without SQLAlchemy, and the reasons."""

MADE_OF_TEXT = frozenset({"text", "DDL", "literal_column"})
"""SQLAlchemy's functions that take SQL text."""

EXECUTING = frozenset({"execute", "executemany", "exec_driver_sql", "stream", "scalar", "scalars"})
"""Methods of connections whose first argument is a statement."""

STATEMENT = re.compile(
    r"\s*(--[^\n]*\n\s*)*\(?(SELECT|WITH|INSERT|UPDATE|DELETE|LOCK|CREATE|DROP|ANALYZE|SET|VALUES|"
    r"TRUNCATE|COPY)\b"
)

SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|FROM \w|WHERE|ORDER BY)\b")


def modules() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(APP.rglob("*.py")):
        if "migrations" not in file.parts:
            yield str(file.relative_to(APP)), ast.parse(file.read_text("utf-8"))


def constants(tree: ast.Module) -> set[str]:
    """Return the names of the module's plain texts."""
    return {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and is_plain(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def is_plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def from_sqlalchemy(tree: ast.Module) -> set[str]:
    """Return the names under which the module has functions that take a text."""
    return {
        each.asname or each.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy")
        for each in node.names
        if each.name in MADE_OF_TEXT
    }


def is_put_together(node: ast.expr) -> bool:
    """Tell whether a text is composed: an f-string, a sum, `%`, `format`, `join` or `replace`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        inner = node.func.value
        if node.func.attr in {"format", "format_map", "join", "replace"}:
            # the Identifier and the Literal of psycopg quote what they become
            return not isinstance(inner, ast.Call)
        return node.func.attr == "encode" and is_put_together(inner)
    return isinstance(node, ast.JoinedStr | ast.BinOp)


def words(node: ast.expr) -> str:
    return " ".join(
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )


def name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def pieces(tree: ast.Module, known: set[str]) -> Iterator[int]:
    """Yield the lines with a spliced statement.

    Args:
        tree: the syntax tree of a module.
        known: the names of plain texts, also those of other modules.
    """
    makes = from_sqlalchemy(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            given = node.args[0]
            if isinstance(node.func, ast.Name) and node.func.id in makes:
                if not is_plain(given) and name_of(given) not in known:
                    yield given.lineno
            elif name_of(node.func) in EXECUTING and is_put_together(given):
                yield given.lineno
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            for each in ast.walk(statement.value):
                if isinstance(each, ast.expr) and is_put_together(each) and SQL.search(words(each)):
                    yield each.lineno


def fragments(tree: ast.Module) -> Iterator[int]:
    """Yield the lines of texts that are not statements."""
    makes = from_sqlalchemy(tree) - {"literal_column"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node.func) in makes and node.args:
            given = node.args[0]
            if is_plain(given) and not STATEMENT.match(words(given)):
                yield node.lineno


def opens_connection(tree: ast.Module) -> bool:
    """Whether a module opens a connection of psycopg."""
    return any(
        (
            isinstance(node, ast.ImportFrom)
            and node.module == "app.db.connection"
            and any(each.name == "connect" for each in node.names)
        )
        or (
            isinstance(node, ast.Attribute)
            and node.attr == "connect"
            and name_of(node.value) in {"psycopg", "Connection", "AsyncConnection"}
        )
        for node in ast.walk(tree)
    )


@pytest.mark.parametrize(
    "source",
    [
        'text(f"SELECT {columns} FROM runs")',
        'text("SELECT 1 FROM runs " + condition)',
        'text("SELECT 1 FROM {}".format(table))',
        "text(statement)",
        '_OLD = f"FROM runs WHERE state = {state}"',
        '_ONLY = {"some": "SELECT %s FROM runs" % column}',
        'connection.execute(f"SELECT {expression}".encode())',
        'literal_column(f"{value}::jsonb")',
    ],
)
def test_a_spliced_statement_is_recognized(source: str) -> None:
    tree = ast.parse(f"from sqlalchemy import literal_column, text\n{source}\n")
    assert set(pieces(tree, constants(tree))) == {2}


@pytest.mark.parametrize(
    "source",
    [
        'text("SELECT id" " FROM runs")',
        '_ALL = "SELECT id FROM runs"\ntext(_ALL)',
        "connection.execute(select(runs.c.id).where(*conditions))",
        'connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))',
        'raise UserError(f"no run FROM {time}")',
    ],
)
def test_a_complete_statement_is_not_reported_as_spliced(source: str) -> None:
    tree = ast.parse(f"from sqlalchemy import text\n{source}\n")
    assert list(pieces(tree, constants(tree))) == []


def test_no_statement_is_spliced_from_fragments() -> None:
    trees = dict(modules())
    known = set[str]().union(*map(constants, trees.values()))
    found = {name: sorted({*pieces(tree, known)}) for name, tree in trees.items()}
    assert {name: lines for name, lines in found.items() if lines and name not in EXCEPTIONS} == {}
    assert [name for name in EXCEPTIONS if not found[name]] == []


def test_a_text_is_a_whole_statement_unless_it_is_a_part_of_a_table() -> None:
    found = {
        name: sorted(fragments(tree))
        for name, tree in modules()
        if not name.startswith("db/tables/")
    }
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_a_connection_without_sqlalchemy_has_its_reason() -> None:
    assert [name for name, tree in modules() if opens_connection(tree)] == [*RAW_CONNECTIONS]


@pytest.mark.parametrize(
    "text", ["SELECT * FROM runs", "SELECT r.* FROM runs r", "SELECT 1, r.* FROM x"]
)
def test_a_statement_that_returns_all_columns_is_recognized(text: str) -> None:
    assert ALL_COLUMNS.search(text)


def test_no_statement_returns_all_columns_of_a_table() -> None:
    files = (file for file in APP.rglob("*.py") if "migrations" not in file.parts)
    assert [file.name for file in files if ALL_COLUMNS.search(file.read_text("utf-8"))] == []
