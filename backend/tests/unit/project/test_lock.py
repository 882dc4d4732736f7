import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[4]
PROJECT = tomllib.loads((ROOT / "backend" / "pyproject.toml").read_text())["project"]
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", re.MULTILINE)


def text(name):
    return (ROOT / "requirements" / f"{name}.txt").read_text()


def pins(name):
    return {canonicalize_name(package): version for package, version in PIN.findall(text(name))}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("base", PROJECT["dependencies"]),
        ("dev", PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]),
        ("uv", ["uv"]),
    ],
)
def test_the_lock_meets_what_the_project_asks_for(name, wanted):
    pinned = pins(name)
    stale = [
        each
        for each in map(Requirement, wanted)
        if not each.specifier.contains(pinned.get(canonicalize_name(each.name), "0"))
    ]
    assert not stale, "run `make lock`"


def test_no_resolver_can_go_back_to_an_old_arq_for_the_sake_of_a_newer_redis():
    asked = {each.name: each.specifier for each in map(Requirement, PROJECT["dependencies"])}
    needed = {each.name: each.specifier for each in map(Requirement, requires("arq") or ())}
    assert not needed["redis"].contains("6.0.0"), "arq takes redis-py 6 now: drop our bound"
    assert not asked["redis"].contains("6.0.0")
    assert asked["arq"].contains("0.28.0")
    assert not asked["arq"].contains("0.25.0")
    for name in ("base", "dev"):
        assert asked["arq"].contains(pins(name)["arq"])


def test_what_is_deployed_is_what_was_tested():
    dev = pins("dev")
    assert pins("base").items() <= dev.items()
    assert pins("uv").items() <= dev.items()


@pytest.mark.parametrize("name", ["base", "dev", "uv"])
def test_every_package_has_its_hashes_and_none_an_address(name):
    lock = text(name)
    blocks = re.split(r"^(?=\S+==)", lock, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    assert len(blocks) == len(PIN.findall(lock))
    assert "://" not in lock
    assert "--index" not in lock
