from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness.timing import WAIT, scaled
from sandbox import Options, Sandbox


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox without limits, shared by the tests of a session."""
    options = Options(genes=200, limits="off", cache_dir=tmp_path_factory.mktemp("sandbox"))
    with Sandbox(options) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox) -> Sandbox:
    """A sandbox without limits, faults or history."""
    served.reset()
    served.services["clinvar"].eutils.history.clear()
    return served


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A client of the sandbox that asks for JSON."""
    headers = {"Accept": "application/json"}
    with httpx.Client(
        base_url=sandbox.url, headers=headers, timeout=scaled(WAIT), trust_env=False, verify=False
    ) as client:
        yield client


@pytest.fixture
def cache_dir(tmp_path: Path) -> Path:
    return tmp_path / "cache"
