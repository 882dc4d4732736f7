import re
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import REPOSITORY

TESTS = REPOSITORY / "backend" / "tests"
LIMIT = re.compile(
    r"(?:asyncio\.timeout\(|\bwait\(|\bwait, |settimeout\(|await_true\([^)]*, )[1-9]"
    r"|(?:client|run|communicate|Client)\([^)]*\btimeout=[1-9]"
)
"""A limit of a second or more that is written as a number."""

MEASURED = re.compile(r"(?:monotonic|perf_counter|time\.time)\(\) - \w+ <=? [0-9]")


def lines() -> Iterator[tuple[Path, str]]:
    for folder in ("unit", "integration"):
        for path in (TESTS / folder).rglob("*.py"):
            for line in path.read_text().splitlines():
                yield path.relative_to(TESTS), line


def test_time_limits_of_tests_scale_with_the_speed_of_the_machine() -> None:
    found = [f"{path}: {line.strip()}" for path, line in lines() if LIMIT.search(line)]
    assert found == [], "use limit(), scaled(), until() or eventually() of backend/harness"


def test_no_test_but_those_of_reliability_asserts_how_many_seconds_something_took() -> None:
    found = [f"{path}: {line.strip()}" for path, line in lines() if MEASURED.search(line)]
    assert found == []
