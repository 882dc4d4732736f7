"""What can be said of the image without an engine that builds it."""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path

from app.annotation.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[4]
DOCKERFILE = REPOSITORY / "deploy" / "docker" / "Dockerfile"
BIN = Path(sys.executable).parent

INSTRUCTIONS = [
    line.split(maxsplit=1)
    for line in re.sub(r"\\\n\s*", "", DOCKERFILE.read_text()).splitlines()
    if line and not line.startswith("#")
]
STARTS = [number for number, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM"]
LAST = INSTRUCTIONS[STARTS[-1] :]


def of(name: str, stage: list[list[str]]) -> list[str]:
    return [text for instruction, text in stage if instruction == name]


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run(
        [BIN / "hadolint", DOCKERFILE], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_its_base_is_pinned_and_the_same_for_all_stages() -> None:
    bases = {text.split()[0] for text in of("FROM", INSTRUCTIONS)} - {"scratch"}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", bases.pop())


def test_it_installs_the_hashed_lock_and_builds_nothing() -> None:
    install = next(text for text in of("RUN", INSTRUCTIONS) if "pip" in text)
    assert '-r "requirements/${lock}.txt"' in install
    assert '--require-hashes --only-binary :all: "$@"' in install
    assert "LOCKS=base" in of("ARG", INSTRUCTIONS)
    lock = (REPOSITORY / "requirements" / "base.txt").read_text()
    pinned = re.findall(r"^[a-z0-9.\[\]_-]+==.*\\$", lock, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[a-z]", lock, re.MULTILINE))


def test_it_compiles_all_code_whatever_becomes_of_the_files_times() -> None:
    command = next(text for text in of("RUN", INSTRUCTIONS) if "compileall" in text)
    assert "--invalidation-mode unchecked-hash backend/app .venv/lib" in command


def test_the_last_stage_is_nobodys_and_has_neither_compilers_nor_package_managers() -> None:
    assert LAST[0] == ["FROM", "scratch"]
    assert of("RUN", LAST) == []
    assert of("USER", LAST) == ["10001:10001"]
    assert len(of("HEALTHCHECK", LAST)) == 1
    trimmed = next(text for text in of("RUN", INSTRUCTIONS) if "rm -rf" in text)
    for gone in ("/usr/bin/apt*", "/usr/bin/dpkg*", "/usr/local/bin/pip*", "ensurepip"):
        assert gone in trimmed
    assert "site-packages/*" in trimmed
    assert "--without-pip" in next(text for text in of("RUN", INSTRUCTIONS) if "venv" in text)


def test_what_it_sets_is_a_setting_or_pythons() -> None:
    names = set(re.findall(r"([A-Z_]+)=", " ".join(of("ENV", LAST))))
    known = {"PATH", "LANG", "PYTHONPATH", "PYTHONFAULTHANDLER", "PYTHONDONTWRITEBYTECODE"}
    assert names - known <= {name.upper() for name in Settings.model_fields}


def test_what_it_copies_is_there_and_is_all_that_a_build_sees() -> None:
    lines = [text.split() for text in of("COPY", INSTRUCTIONS) if not text.startswith("--")]
    copied = [path for *paths, _ in lines for path in paths]
    assert all((REPOSITORY / path).exists() for path in copied)
    rules = (REPOSITORY / ".dockerignore").read_text().splitlines()
    rules = [rule for rule in rules if rule and not rule.startswith("#")]
    assert rules[0] == "*"
    assert sorted(rule[1:] for rule in rules if rule.startswith("!")) == sorted(copied)
    assert any(fnmatch.fnmatch("a/__pycache__", rule) for rule in rules[1:])
