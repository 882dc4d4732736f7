from pathlib import Path

import pytest

from app.annotation.settings import Settings
from app.core.errors import UserError
from reference.readers import readers


def test_the_readers_of_a_setting_are_described_in_words() -> None:
    by = readers()
    assert by["admin_token"] == ["the API"]
    assert by["run_max_failures"] == ["whatever executes runs"]
    assert by["database_url"] == [
        "the API", "whatever executes runs", "commands", "`just hybrid-up`",
    ]  # fmt: skip
    assert "workers" in by["redis_url"]
    assert "`just genes-import`" in by["hgnc_files_url"]


def test_the_api_does_not_read_what_it_needs_only_to_execute_runs() -> None:
    assert readers()["arq_max_jobs"] == ["whatever executes runs"]


def test_every_setting_has_a_reader() -> None:
    by = readers()
    assert all(by[name] for name in Settings.model_fields)


def test_a_new_part_of_the_program_needs_a_description(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "novelty.py").write_text("def f(settings):\n    return settings.database_url\n")
    with pytest.raises(UserError, match=r"app\.novelty\.f reads settings"):
        readers(app)


def test_a_setting_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "main.py").write_text("")
    with pytest.raises(UserError, match=r"nothing reads .*ADMIN_TOKEN"):
        readers(app)
