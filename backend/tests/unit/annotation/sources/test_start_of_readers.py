"""A new process reads each file, so its imports cost time for each file."""

import json
import subprocess
import sys

from app.annotation.sources import SOURCES
from app.annotation.sources.base import FileSource
from app.annotation.upstream.bulk_files import child
from tests.conftest import REPOSITORY

HEAVY = {"fastapi", "httpx", "pydantic", "sqlalchemy", "app.annotation.sources.registry"}

READERS = sorted(
    source.file.reader.partition(":")[0]
    for source in SOURCES.values()
    if issubclass(source, FileSource)
)


def test_a_process_that_reads_a_file_imports_neither_settings_nor_clients() -> None:
    program = (
        f"import importlib, json, sys\nfor name in {[child.__name__, *READERS]}:\n"
        "    importlib.import_module(name)\nprint(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY / "backend",
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(json.loads(done.stdout))
    assert set(READERS) <= imported
    assert imported & HEAVY == set()
