import re

import pytest

from app.db.tables import metadata
from reference import tables


@pytest.mark.parametrize("table", metadata.tables.values(), ids=str)
def test_every_table_has_its_columns_in_the_diagram_and_in_a_section(table) -> None:
    drawn = re.search(rf"    {table.name} {{\n(.*?)\n    }}", tables.diagram(), re.DOTALL)
    assert [line.split()[1] for line in drawn[1].splitlines()] == list(table.columns.keys())
    section = _section(table.name)
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(table.columns.keys())
    for column in table.columns:
        assert column.comment is None or column.comment in section


def test_a_foreign_key_is_a_relation_which_shows_whether_it_is_nullable() -> None:
    keys = sum(len(table.foreign_keys) for table in metadata.tables.values())
    assert tables.diagram().count("--o{") == keys
    assert 'runs ||--o{ run_events : "run_id"' in tables.diagram()
    assert 'workers |o--o{ runs : "worker_id"' in tables.diagram()
    assert "`id` of [runs](#runs), deleted with it" in _section("run_events")


def test_every_check_and_index_is_shown_as_sql() -> None:
    for table in metadata.tables.values():
        for index in table.indexes:
            assert f"INDEX {index.name} ON {table.name} (" in _section(table.name)
    runs = _section("runs")
    assert "ADD CONSTRAINT runs_mode_check CHECK (mode IN ('smart', 'full'));" in runs
    assert "CREATE INDEX runs_active_idx ON runs (state) WHERE state IN ('queued'" in runs


def test_a_column_is_shown_with_its_type_null_and_default() -> None:
    assert "| `sources` | text[] | yes |  |" in _section("runs")
    assert "| `state` | text |  | `queued` |" in _section("runs")
    assert "| `id` | bigint |  | generated | primary key |" in _section("runs")
    assert "| `at` | timestamptz |  | `clock_timestamp()` |" in _section("run_events")


def _section(name: str) -> str:
    (section,) = re.findall(rf"### {name}\n.*?(?=\n### |\Z)", tables.sections(), re.DOTALL)
    return section
