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
    "run.sources": "The requested sources, or `all`.",
    "run.state": "The state in which the run ended.",
    "run.attempts": "1 + the number of failed attempts so far.",
    "run.interruptions": "The number of attempts so far that a clean stop of the worker ended.",
    "run.losses": "The number of attempts so far whose worker died.",
}

RUN = Kind(
    "run",
    "A run from its creation to its end. If the HTTP request that created the run was traced, the"
    " span has a link to the caller's span.",
    attributes=_RUN,
)

REOPENED = Kind(
    "run reopened",
    "The time from the reopening of an ended run to its next end. A run is reopened by a retry, or"
    " when somebody accepts its held answers.",
    parent=RUN.name,
    attributes=_RUN,
)

ATTEMPT = Kind(
    "attempt",
    "One worker's execution of the run, from the claim to the end, as recorded in PostgreSQL.",
    parent=RUN.name,
    attributes={
        "run.id": "The id of the run.",
        "attempt.epoch": "The epoch of the attempt.",
        "attempt.worker": "The id of the worker.",
        "attempt.host": "The host of the worker.",
        "attempt.outcome": "The event that ended the attempt, such as `succeeded` or `lost`.",
        "attempt.reason": "Why the attempt ended, if PostgreSQL has recorded a reason.",
        "attempt.waiting_for": "What the run waits for after the attempt, such as a service.",
    },
)

SOURCE = Kind(
    "source",
    "One source of an attempt, from the beginning of the attempt to the end of the source or, if"
    " the source has not ended, to the end of the attempt.",
    parent=ATTEMPT.name,
    label="NAME",
    attributes={
        "source.name": "The name of the source.",
        "source.state": "`succeeded`, `failed` or `held`; `not finished` if the attempt ended"
        " before the source.",
        "source.total": "The number of genes that are due in the run, over all attempts.",
        "source.done": "The number of genes with an answer in the run, over all attempts.",
        "source.unknown": "The number of these genes whose answer is unknown.",
        "source.changed": "The number of these genes whose answer changed.",
    },
)

BATCH = Kind(
    "batch",
    "A batch of genes, from the first request to the commit; for a bulk file, only the commit.",
    parent=SOURCE.name,
    attributes={"batch.size": "The number of genes in the batch."},
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
        "server.address": "The host name of the service.",
        "http.request.method": "The HTTP method.",
        "url.path": "The path below the service's address, without a query.",
        "http.response.status_code": "The HTTP status of the answer.",
        "http.request.resend_count": "The number of earlier tries of the request.",
        "request.waited": "Seconds for which the request waited for the request budget.",
    },
)

KINDS = (RUN, REOPENED, ATTEMPT, SOURCE, BATCH, REQUEST)
"""All kinds of spans, parents first."""
