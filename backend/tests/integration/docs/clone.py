"""A fresh clone of this repository, before the first command."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from services.process import free_port
from tests.conftest import REPOSITORY

STANDARD_PORTS = {
    "8000": ("backend/app/cli/serve.py",),
    "5432": ("backend/services/hybrid.py",),
    "6379": ("backend/services/hybrid.py",),
}
"""The files that contain the standard ports. The clone gets other ports, because a developer or
another test may use the standard ones."""


class Clone:
    """A copy of the files that git lists, committed to a new repository.

    Attributes:
        root: the top of the clone, a path with a space.
        env: the environment of a user who has just logged in.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a clone"
        self._ports = {standard: str(free_port()) for standard in STANDARD_PORTS}
        _copy(self.root)
        for standard, files in STANDARD_PORTS.items():
            for file in files:
                self._replace(self.root / file, standard)
        self.env = _environment(self.root, folder)
        self._commit()

    def here(self, commands: str) -> str:
        """Return the commands of a page with the ports of this clone."""
        return commands.replace(":8000/", f":{self._ports['8000']}/")

    def require_packages(self) -> None:
        """Skip the test if the machine is offline: the first command installs packages."""
        small = f"iniconfig=={version('iniconfig')}"
        command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--no-cache-dir"]
        done = subprocess.run(
            [*command, "--retries", "1", "--dest", self.root.parent, small],
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"no package can be installed here: {done.stderr.strip()[-300:]}")

    def use_installed_packages(self) -> None:
        """Skip the installation, and use the packages that run this test.

        Only recipes of `just` may follow. `make` might install into the packages of this checkout.
        """
        installed = Path(sys.prefix)
        if not (installed / "installed-local").exists():
            pytest.skip(f"make did not install the packages in {installed}")
        (self.root / ".venv").symlink_to(installed)
        # the code of the clone is not compiled yet
        del self.env["PYTHONDONTWRITEBYTECODE"]

    def is_compiled(self) -> bool:
        """Tell whether the packages of `.venv` and the project's code are compiled."""
        folders = (".venv/lib/*/site-packages/sqlalchemy", "backend/app")
        return all(any(self.root.glob(f"{each}/__pycache__/*.pyc")) for each in folders)

    def as_after_the_installation(self) -> None:
        """Remove all files that git does not list, except the packages and the bytecode."""
        kept = ("--exclude=.venv", "--exclude=__pycache__")
        subprocess.run(["git", "clean", "-fdxq", *kept], cwd=self.root, env=self.env, check=True)
        subprocess.run(["git", "diff", "--exit-code"], cwd=self.root, env=self.env, check=True)

    def _replace(self, file: Path, standard: str) -> None:
        text = file.read_text(encoding="utf-8")
        assert text.count(standard) == 1, f"{standard} is no longer the only one in {file}"
        file.write_text(text.replace(standard, self._ports[standard]), encoding="utf-8")

    def _commit(self) -> None:
        who = ["-c", "user.name=a reader", "-c", "user.email=reader@example.org"]
        for words in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "all of it"]):
            subprocess.run(["git", *words], cwd=self.root, env=self.env, check=True)


def _copy(root: Path) -> None:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git repository that could be cloned")
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file():  # deleted but not yet committed
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, root / name)


def _environment(root: Path, folder: Path) -> dict[str, str]:
    # a Docker engine would be used for the servers
    hidden = folder / "bin"
    hidden.mkdir()
    (hidden / "docker").write_text("#!/bin/sh\nexit 1\n")
    (hidden / "docker").chmod(0o755)
    home = folder / "home"
    home.mkdir()
    ours = str(Path(sys.executable).parent)
    path = [each for each in os.environ["PATH"].split(os.pathsep) if each != ours]
    return {
        "PATH": os.pathsep.join([f"{root}/.venv/bin", str(hidden), *path]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "COLUMNS": "120",
        "EDITOR": "true",
        # so that only the installation's bytecode exists
        "PYTHONDONTWRITEBYTECODE": "1",
        **_ways_to_packages(),
        "NO_PROXY": "127.0.0.1,localhost",
    }


def _ways_to_packages() -> dict[str, str]:
    """Return the variables that configure the package sources of this machine."""
    names = ("PIP_", "UV_", "SSL_CERT_", "HTTP_PROXY", "HTTPS_PROXY")
    kept = {name: value for name, value in os.environ.items() if name.upper().startswith(names)}
    kept["XDG_CACHE_HOME"] = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    configured = Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config"))
    for name, file in (("PIP_CONFIG_FILE", "pip/pip.conf"), ("UV_CONFIG_FILE", "uv/uv.toml")):
        if (configured / file).is_file():
            kept.setdefault(name, str(configured / file))
    return kept
