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
@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "socks5://proxy.example:1080"), ("SSL_CERT_FILE", "/not/there.pem")],
)
def test_the_error_for_an_unusable_proxy_or_certificate_names_its_variable(
    cli, words: tuple[str, ...], name: str, value: str
) -> None:
    status, said = tried(cli, words, USE_ARQ_WORKER=str(words is not API), **{name: value})
    assert status not in {0, 2}
    assert name in said
    assert f"`unset {name}`" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("words", [API, WORKER, IMPORT])
def test_a_cache_folder_that_cannot_be_made_is_named(
    cli, words: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    folder = str(tmp_path / "file" / "cache")
    status, said = tried(cli, words, USE_ARQ_WORKER=str(words is not API), CACHE_DIR=folder)
    assert status not in {0, 2}
    assert f"CACHE_DIR cannot be used: {folder}: Not a directory" in said
    assert "Traceback" not in said
