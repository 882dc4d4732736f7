import functools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.integration.chromium import chromium

__all__ = ["chromium"]

PREFIX = "/some/prefix/"


def build(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", program, "build", *arguments]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that a site is built of, apart: zensical writes beside its configuration."""
    folder = tmp_path_factory.mktemp("sources")
    shutil.copy(REPOSITORY / "mkdocs.yml", folder)
    shutil.copytree(REPOSITORY / "docs", folder / "docs")
    return folder


@pytest.fixture(scope="session")
def built(sources: Path) -> tuple[Path, str]:
    """The site as `mkdocs build --strict` builds it, and what that said."""
    done = build(sources, "mkdocs", "--strict", "--site-dir", "built")
    assert done.returncode == 0, done.stderr
    return sources / "built", done.stdout + done.stderr


@pytest.fixture(scope="session")
def site(built: tuple[Path, str]) -> Path:
    return built[0]


@pytest.fixture(scope="session")
def moved(sources: Path) -> Path:
    """The same pages as zensical builds them."""
    done = build(sources, "zensical", "--strict", "--config-file", "mkdocs.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    return sources / "site"


class _UnderPrefix(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if not self.path.startswith(PREFIX):
            self.send_error(404)
            return
        self.path = "/" + self.path.removeprefix(PREFIX)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name upstream
        pass


@pytest.fixture(scope="session")
def served(site: Path) -> Iterator[str]:
    """The site's address on a server where it does not lie at the top."""
    handler = functools.partial(_UnderPrefix, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
        server.shutdown()
        thread.join()
