import shutil
import types

import psutil
import pytest

from harness.waiting import until
from tests.conftest import REPOSITORY
from tests.integration.docs.fences import Fence
from tests.integration.docs.session import Session


@pytest.fixture
def session(tmp_path):
    root = tmp_path / "a clone"
    for package in ("app", "services"):
        shutil.copytree(REPOSITORY / "backend" / package, root / "backend" / package)
    env = {"PATH": "/usr/bin:/bin"}
    return Session(types.SimpleNamespace(root=root, env=env, here=str), tmp_path)


def block(text: str, line: int = 1, title: str = "") -> Fence:
    return Fence("page.md", line, "sh", title, (), text)


def test_a_block_sees_the_variables_that_the_block_before_it_set(session) -> None:
    with session:
        session.run(block("name=kidney\ncd backend\n", 1))
        assert session.run(block('echo "$name in $(pwd -P)"\n', 2)).startswith("kidney in ")


def test_a_failed_block_is_shown_with_its_place_and_its_output(session) -> None:
    with session, pytest.raises(AssertionError) as failure:
        session.run(block("echo here; echo there >&2\nfalse\necho never\n", 7))
    said = str(failure.value)
    assert said.startswith("page.md:7: this block failed:\necho here; ")
    assert "here\nthere\n" in said
    assert "never\n" not in said.partition("---")[2]


@pytest.mark.parametrize("text", ["echo $not_set\n", "if\n", "exit 0\n", "false && true\n"])
def test_a_block_that_does_not_end_has_failed(session, text: str) -> None:
    with session, pytest.raises(AssertionError, match="this block failed"):
        session.run(block(text))


def test_a_program_that_keeps_running_is_ended_at_the_end(session) -> None:
    stays = "just() { echo worker 1 is alive, pid $$; exec sleep 1000; }\njust worker\n"
    with session:
        session.run(block(stays, title="Terminal 2: a worker"))
        pid = int(session.run(block("sed 's/.*pid //' ../page-1.log\n", 2)))
        until(lambda: psutil.Process(pid).name() == "sleep")
    assert not psutil.pid_exists(pid)


@pytest.mark.parametrize("says", ["no server", "worker 1 is alive, pid 1"])
def test_a_program_that_does_not_stay_has_failed(session, says: str) -> None:
    ends = block(f"just() {{ echo {says}; }}\njust worker\n", title="Terminal 2: a worker")
    with session, pytest.raises(AssertionError, match=rf"(?s)does not st(art|ay):.*{says}"):
        session.run(ends)
