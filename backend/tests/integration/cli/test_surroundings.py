"""A host that is not as a worker, the API or an import needs it: named, without a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.plant import BACKEND

API = ("app.cli", "api", "--port", "0")
WORKER = ("arq", "app.core.arq_worker.WorkerSettings")
IMPORT = ("app.cli", "genes-import", "demo/twenty_genes.tsv")


def tried(cli, words: tuple[str, ...], **env: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=BACKEND,
        env=cli.env | env,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("words", [API, WORKER, IMPORT])
def test_an_error_about_the_surroundings_names_the_variable_without_a_traceback(
    cli, words: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    folder = str(tmp_path / "file" / "cache")
    for name, value, error in (
        ("ALL_PROXY", "socks5://proxy.example:1080", "`unset ALL_PROXY`"),
        ("CACHE_DIR", folder, f"CACHE_DIR cannot be used: {folder}: Not a directory"),
    ):
        status, said = tried(cli, words, USE_ARQ_WORKER=str(words is not API), **{name: value})
        assert status not in {0, 2}
        assert error in said
        assert "Traceback" not in said
