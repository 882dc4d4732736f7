"""The table of spans: every kind of span and every attribute that one may have."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of span.

    Attributes:
        name: the beginning of the span's name.
        label: what follows the name, in capital letters; empty if nothing does.
        meaning: what the span covers, as a sentence.
        parent: the kind of its parent; empty for the root.
        attributes: the meaning of each attribute.
        outbound: whether it is a call to another service.
    """

    name: str
    meaning: str
    parent: str = ""
    label: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    outbound: bool = False


_RUN = {
    "run.id": "The id of the run.",
    "run.task": "The name of the job.",
    "run.mode": "`smart` or `full`.",
    "run.sources": "The sources that were asked for, or `all`.",
    "run.state": "How the run ended.",
    "run.attempts": "1 + the number of failures so far.",
    "run.interruptions": "The number of clean stops of a worker so far.",
    "run.losses": "The number of workers that died so far.",
}

RUN = Kind(
    "run",
    "A run from its creation to its end. If the HTTP request that created the run was traced, the"
    " span has a link to the caller's span.",
    attributes=_RUN,
)

REOPENED = Kind(
    "run reopened",
    "What follows when somebody retries an ended run, or accepts what it held: from the reopening"
    " to the next end.",
    parent=RUN.name,
    attributes=_RUN,
)

ATTEMPT = Kind(
    "attempt",
    "One worker's execution of the run, from the claim to the end that PostgreSQL has recorded.",
    parent=RUN.name,
    attributes={
        "run.id": "The id of the run.",
        "attempt.epoch": "The epoch of the attempt.",
        "attempt.worker": "The id of the worker.",
        "attempt.host": "The host of the worker.",
        "attempt.outcome": "The event that ended the attempt, such as `succeeded` or `lost`.",
        "attempt.reason": "Why it ended, if PostgreSQL has recorded a reason.",
        "attempt.waiting_for": "What the run waits for.",
    },
)

SOURCE = Kind(
    "source",
    "One source's part of an attempt. It begins with the attempt, and ends with the source or, if"
    " the source has not ended, with the attempt.",
    parent=ATTEMPT.name,
    label="NAME",
    attributes={
        "source.name": "The name of the source.",
        "source.state": "`succeeded`, `failed` or `held`; `not finished` if the attempt ended"
        " before the source.",
        "source.total": "What the run has to ask about, over all attempts.",
        "source.done": "What the run has asked about, over all attempts.",
        "source.unknown": "Of these, how many could not be found out.",
        "source.changed": "Of these, how many answers changed.",
    },
)

BATCH = Kind(
    "batch",
    "What is asked about together, until the answers are committed; for a file, only the commit.",
    parent=SOURCE.name,
    attributes={"batch.size": "How many are asked about."},
)

REQUEST = Kind(
    "request",
    "One try of a request to an upstream service, from the wait for the request budget to the end"
    " of the answer. Requests that belong to no batch, such as downloads, are children of the"
    " source.",
    parent=BATCH.name,
    label="HOST",
    outbound=True,
    attributes={
        "server.address": "The name of the host that was asked.",
        "http.request.method": "The method.",
        "url.path": "The path below the service's address, without a query.",
        "http.response.status_code": "The status of the answer.",
        "http.request.resend_count": "How often the request was tried before.",
        "request.waited": "Seconds that the request waited for the request budget.",
    },
)

KINDS = (RUN, REOPENED, ATTEMPT, SOURCE, BATCH, REQUEST)
"""All kinds of spans, parents first."""
