import ast
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

MEASURED = re.compile(r"time\(\)|monotonic|perf_counter|elapsed|took|duration|\.seconds|_age\b")
"""Names of durations."""


def asserted(path: Path) -> Iterator[ast.Compare]:
    """The comparisons that a module asserts, unless its clock is virtual."""
    module = ast.parse(path.read_text())
    names = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    if "virtual_time" in names:
        return
    for statement in ast.walk(module):
        if isinstance(statement, ast.Assert):
            yield from (part for part in ast.walk(statement) if isinstance(part, ast.Compare))


def is_most(comparison: ast.Compare) -> bool:
    """Tell whether an assertion limits a duration."""
    parts = [comparison.left, *comparison.comparators]
    for less, is_less, more in zip(parts, comparison.ops, parts[1:], strict=False):
        if isinstance(is_less, ast.Gt | ast.GtE):
            less, more = more, less  # noqa: PLW2901
        elif not isinstance(is_less, ast.Lt | ast.LtE):
            continue
        if isinstance(more, ast.Constant) and MEASURED.search(ast.unparse(less)):
            return True
    return False


def lines() -> Iterator[tuple[Path, str]]:
    for folder in ("unit", "integration"):
        for path in (TESTS / folder).rglob("*.py"):
            for line in path.read_text().splitlines():
                yield path.relative_to(TESTS), line


def test_time_limits_of_tests_scale_with_the_speed_of_the_machine() -> None:
    found = [f"{path}: {line.strip()}" for path, line in lines() if LIMIT.search(line)]
    assert found == [], "use limit(), scaled(), until() or eventually() of backend/harness"


def test_only_reliability_tests_assert_durations() -> None:
    found = [
        f"{path.relative_to(TESTS)}: {ast.unparse(comparison)}"
        for folder in ("unit", "integration")
        for path in (TESTS / folder).rglob("test_*.py")
        for comparison in asserted(path)
        if is_most(comparison)
    ]
    assert found == []


def test_a_test_that_asserts_seconds_would_be_found() -> None:
    for text, wrong in {
        "time.monotonic() - began < 3": True,
        "3 >= loop.time() - began": True,
        "0 <= row['heartbeat_age'] < 30": True,
        "loop.time() - began >= 0.3": False,
        "seen['age_seconds'] < 600 + scaled(WAIT)": False,
    }.items():
        comparison = ast.parse(text, mode="eval").body
        assert isinstance(comparison, ast.Compare)
        assert is_most(comparison) == wrong, text


def test_no_test_sets_the_clock_of_the_whole_process() -> None:
    """The event loops of other threads, such as that of the sandbox, would sleep for hours."""
    wrong = re.compile(r"setattr\((?:\w+\.)*(?:time|asyncio), \"(?:time|monotonic|sleep)")
    found = [f"{path}: {line.strip()}" for path, line in lines() if wrong.search(line)]
    assert found == [], "replace the name `time` of one module instead"
