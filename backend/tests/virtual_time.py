import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualTime(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while something runs, and jumps while all wait.

    Nothing that a test measures with it depends on what else the machine does.
    """

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self._now

    def pass_by(self, seconds: float) -> None:
        """Let time pass in which the event loop cannot do anything."""
        self._now += seconds


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTime) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if timeout:
            self._loop.pass_by(timeout)
        return super().select(0)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTime) as runner:
        return runner.run(work)


def busy(seconds: float) -> None:
    """Keep the running event loop from its work for so long."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTime)
    loop.pass_by(seconds)
