"""No statement returns all columns of a table.

A migration may add a column under a running process. PostgreSQL then refuses to execute a prepared
statement whose result has changed.
"""

import re
from pathlib import Path

import pytest

import app

APP = Path(app.__file__).parent

# of a function, unnest(...), the columns are known
ALL_COLUMNS = re.compile(
    r"SELECT\s+(\w+\.)?\*(?!\s+FROM\s+unnest\()|,\s*\w+\.\*\s+FROM\b", re.IGNORECASE
)


@pytest.mark.parametrize(
    "text", ["SELECT * FROM runs", "SELECT r.* FROM runs r", "SELECT 1, r.* FROM x"]
)
def test_a_statement_that_returns_all_columns_is_recognized(text: str) -> None:
    assert ALL_COLUMNS.search(text)


def test_no_statement_returns_all_columns_of_a_table() -> None:
    files = (file for file in APP.rglob("*.py") if "migrations" not in file.parts)
    assert [file.name for file in files if ALL_COLUMNS.search(file.read_text("utf-8"))] == []
