"""Figures and event names in the documentation match the code."""

import re

import pytest

from app.annotation.sources import SOURCES
from app.annotation.upstream import Retries
from app.core.arq.client import SOCKET_TIMEOUT
from app.core.redis.rate_limits import USED_SHARE
from app.core.runs.events import Event
from app.core.workers.timing import DEFAULT_TIMING
from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
WHY = "explanation/why-a-run-cannot-be-lost.md"
RATES = "explanation/rate-limits.md"
ARQ = "explanation/arq.md"
TRIES = Retries()
HOSTS = {
    host.name: host.rate
    for source in SOURCES.values()
    for host in source.info.hosts
    if not host.name.endswith("-files")
}


def words(page: str) -> str:
    return " ".join((DOCS / page).read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (WHY, f"no worker answers within {DEFAULT_TIMING.wake_again:g} seconds is sent again"),
        (WHY, f"goes stale after {DEFAULT_TIMING.stale:g} seconds"),
        (WHY, f"after {DEFAULT_TIMING.stale:g} s without heartbeat"),
        (WHY, f"in the first {DEFAULT_TIMING.settle:g} s after it has connected"),
        ("how-to/scale-out.md", f"at most {DEFAULT_TIMING.stale:g} seconds without a heartbeat"),
        ("deployment.md", f"its heartbeat is at most {DEFAULT_TIMING.stale:g} s old"),
        (RATES, f"({USED_SHARE:g} \N{MULTIPLICATION SIGN} rate)"),
        (RATES, f"{1 / (USED_SHARE * HOSTS['ncbi']):.3f} s"),
        (RATES, f"after {TRIES.refused} refusals"),
        (RATES, f"up to {TRIES.fault} tries, with"),
        (RATES, f"up to {TRIES.body} tries; then the batch is halved"),
        (RATES, f"has broken off {TRIES.cut} times"),
        (RATES, f"after {TRIES.seconds / 60:g} minutes in all"),
        (ARQ, f"{SOCKET_TIMEOUT:g} s without an answer"),
        ("tutorial.md", f"allow {min(HOSTS.values()):g} to {max(HOSTS.values()):g} a second"),
    ],
)
def test_a_figure_on_a_page_is_that_of_the_code(page: str, says: str) -> None:
    assert says in words(page)


def test_the_events_in_the_states_of_a_run_are_those_that_exist() -> None:
    (diagram,) = re.findall(r"stateDiagram-v2\n(.*?)```", (DOCS / WHY).read_text(), re.DOTALL)
    labels = re.findall(r"--> \w+: (.*)", diagram)
    named = {word for each in labels for word in each.split(", ")}
    # these do not change the run's state
    assert named == set(Event) - {
        Event.FENCED,
        Event.HELD,
        Event.ACCEPTED,
        Event.RELEASE_ARRIVED,
        Event.UNKNOWN_TERMS,
    }
