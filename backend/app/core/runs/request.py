from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from app.core.errors import WrongUse
from app.core.runs.jobs import ONE_SOURCE, SEVERAL_SOURCES

Mode = Literal["smart", "full"]
MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What was requested. Two requests are the same if they are equal.

    Attributes:
        sources: the sources, sorted and unique; None means all.
        mode: ``smart`` refreshes what is missing, unknown, stale or of a former release, ``full``
            everything.
        genes: the ids of the genes to refresh, sorted and unique; None means all.
    """

    sources: tuple[str, ...] | None
    mode: Mode = "smart"
    genes: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        sources: Iterable[str] | None,
        mode: str = "smart",
        genes: Iterable[str] | None = None,
    ) -> "RunRequest":
        """Build a request from the arguments of a client.

        Raises:
            WrongUse: the list of sources is empty, or the mode is unknown.
        """
        if mode not in MODES:
            raise WrongUse(f"unknown mode {mode!r}", allowed=" or ".join(MODES))
        names = None if sources is None else tuple(sorted(set(sources)))
        if names == ():
            raise WrongUse(
                "the list of sources is empty",
                allowed="names of sources, or no list (null) for all sources",
            )
        return cls(names, mode, None if genes is None else tuple(sorted(set(genes))))

    @property
    def task(self) -> str:
        """The name of the job that executes the request."""
        one = self.sources is not None and len(self.sources) == 1
        return (ONE_SOURCE if one else SEVERAL_SOURCES).name
