from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from app.core.errors import WrongUse
from app.core.runs.jobs import ONE_SOURCE, SEVERAL_SOURCES

Mode = Literal["smart", "full"]
MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What an operator asked for. Two requests are the same when they are equal.

    Attributes:
        sources: sorted and unique; None means all.
        mode: ``smart`` refreshes what is missing, unknown or stale, ``full`` everything.
    """

    sources: tuple[str, ...] | None
    mode: Mode = "smart"

    @classmethod
    def of(cls, sources: Iterable[str] | None, mode: str = "smart") -> "RunRequest":
        """Build a request from what a client sent.

        Raises:
            WrongUse: when the list of sources is empty or the mode is unknown.
        """
        if mode not in MODES:
            raise WrongUse(f"unknown mode {mode!r}", allowed=" or ".join(MODES))
        names = None if sources is None else tuple(sorted(set(sources)))
        if names == ():
            raise WrongUse(
                "the list of sources is empty",
                allowed="names of sources, or none at all (null) for all of them",
            )
        return cls(names, mode)

    @property
    def task(self) -> str:
        """The name of the job that does it."""
        one = self.sources is not None and len(self.sources) == 1
        return (ONE_SOURCE if one else SEVERAL_SOURCES).name
