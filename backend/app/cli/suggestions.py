"""Suggests schedules that fit the freshness of each source."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from app.annotation.sources import SOURCES

_LOOKS = (
    # for sources with at most this freshness: the interval of the checks, and the schedule's name
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
    yield "# A check takes one or two requests, and only a new release is fetched."
    shortest = timedelta()
    for longest, every, name in _LOOKS:
        sources = [name for name in enabled if shortest < SOURCES[name].info.freshness <= longest]
        if sources:
            listed = ",".join(sources)
            yield f"just schedule-add --release-every {every} --sources {listed} --name {name}"
        shortest = longest
    yield "# A weekly run of all sources, for added genes and missing answers:"
    yield f"just schedule-add {_REST}"
    yield "# A monthly snapshot, which can be cited and compared:"
    yield f'just schedule-add "0 1 1 * *" --zone {_ZONE} --snapshot monthly --name monthly'
    yield "# A nightly backup. The folder must exist on each host with workers:"
    yield f'just schedule-add "0 2 * * *" --zone {_ZONE} --backup {_FOLDER} --name nightly'
