"""Suggests schedules, from how long the answers of each source stay good."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from app.annotation.sources import SOURCES

_LOOKS = (
    # answers stay good for at most, look this often, name
    (timedelta(days=14), "6h", "often"),
    (timedelta(days=60), "1d", "daily"),
)

_ZONE = "Europe/Berlin"
_FOLDER = "/var/backups/kidney-genetics"

_REST = f'"0 3 * * 0" --zone {_ZONE} --name weekly'


def suggest_schedules(enabled: Sequence[str]) -> Iterator[str]:
    """Yield the commands that add the schedules.

    Args:
        enabled: the built-in sources that a run of all sources covers.
    """
    yield "# A look takes one or two requests, and only what is new is fetched."
    shortest = timedelta()
    for longest, every, name in _LOOKS:
        sources = [name for name in enabled if shortest < SOURCES[name].info.freshness <= longest]
        if sources:
            listed = ",".join(sources)
            yield f"just schedule-add --release-every {every} --sources {listed} --name {name}"
        shortest = longest
    yield "# All sources, for genes that were added and answers that are missing:"
    yield f"just schedule-add {_REST}"
    yield "# A state that can be cited and compared, every month:"
    yield f'just schedule-add "0 1 1 * *" --zone {_ZONE} --snapshot monthly --name monthly'
    yield "# A backup every night. The folder has to exist on each host with workers:"
    yield f'just schedule-add "0 2 * * *" --zone {_ZONE} --backup {_FOLDER} --name nightly'
