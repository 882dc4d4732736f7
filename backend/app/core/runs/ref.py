from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class RunRef:
    """Identifies a run and an attempt at it, with the request.

    Attributes:
        run_id: the id of the run.
        epoch: the epoch of the attempt.
        task: the name of the job.
        sources: the requested sources, sorted and unique; None means all.
        mode: ``smart`` or ``full``.
    """

    run_id: int
    epoch: int
    task: str
    sources: tuple[str, ...] | None
    mode: str

    @classmethod
    def of(cls, row: Any) -> Self:
        """Build one from a row with the columns id, epoch, task, sources and mode of `runs`."""
        sources = None if row.sources is None else tuple(row.sources)
        return cls(row.id, row.epoch, row.task, sources, row.mode)

    @property
    def key(self) -> tuple[int, int]:
        """The id of the run, and the epoch."""
        return self.run_id, self.epoch

    @property
    def job_id(self) -> str:
        """The id of the arq job that wakes a worker up for this attempt."""
        return f"{self.run_id}:{self.epoch}"
