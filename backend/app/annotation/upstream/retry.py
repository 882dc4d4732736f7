"""Decides when a request is retried, and when it fails for good."""

import logging
from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type
from tenacity.wait import wait_exponential_jitter

from app.core.errors import KidneyGeneticsError

logger = logging.getLogger(__name__)

TRIED = ContextVar("how often the request that is being sent was tried before", default=0)


class Trouble(StrEnum):
    """Why a try failed. Each kind has its own limit of tries."""

    REFUSED = "refused"  # 429: the service is up, but requests are too frequent
    FAULT = "fault"  # 5xx, timeouts, connections refused or reset
    CUT = "cut"  # a download that was interrupted after some progress
    BODY = "body"  # an unusable answer; the next one may be usable


@dataclass(frozen=True, slots=True)
class Retries:
    """The limits of the tries of one request.

    Args:
        refused: the maximum number of tries that end in a 429.
        fault: the maximum number of tries that end in an error of the server or the connection.
        cut: the maximum number of interruptions of a download that made progress.
        body: the maximum number of tries with an unusable body.
        first: the seconds before the second try. The backoff doubles with each further try, plus
            jitter.
        max_backoff: the longest backoff, in seconds.
        seconds: the total time, in seconds, after which no further try begins.
        max_wait: the upper limit of a ``Retry-After``, in seconds.
    """

    refused: int = 8
    fault: int = 4
    cut: int = 20
    body: int = 3
    first: float = 0.5
    max_backoff: float = 20.0
    seconds: float = 300.0
    max_wait: float = 14_400.0

    def limit(self, trouble: Trouble) -> int:
        """Return the maximum number of tries that fail this way."""
        return {
            Trouble.REFUSED: self.refused,
            Trouble.FAULT: self.fault,
            Trouble.CUT: self.cut,
            Trouble.BODY: self.body,
        }[trouble]


class TryAgain(Exception):
    """This try failed, but the next one may succeed.

    Args:
        trouble: the kind of failure.
        reason: the reason, redacted.
        outcome: the exception for the caller if this was the last try.
        delay: seconds before the next try; None means exponential backoff with jitter.
    """

    def __init__(
        self,
        trouble: Trouble,
        reason: str,
        outcome: KidneyGeneticsError,
        delay: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.trouble = trouble
        self.reason = reason
        self.outcome = outcome
        self.delay = delay


def retrying(host: str, retries: Retries) -> AsyncRetrying:
    """Return the retry loop of one request. It re-raises the last :class:`TryAgain`."""
    seen: Counter[Trouble] = Counter()
    backoff = wait_exponential_jitter(
        multiplier=retries.first, max=retries.max_backoff, jitter=retries.first
    )

    def stop(state: RetryCallState) -> bool:
        trouble = _failure(state).trouble
        seen[trouble] += 1
        elapsed = state.seconds_since_start or 0.0
        return seen[trouble] >= retries.limit(trouble) or elapsed >= retries.seconds

    def wait(state: RetryCallState) -> float:
        delay = _failure(state).delay
        return backoff(state) if delay is None else delay

    def log(state: RetryCallState) -> None:
        logger.warning(
            "%s: %s (try %d), next try in %.1f s",
            host,
            _failure(state).reason,
            state.attempt_number,
            state.upcoming_sleep,
        )

    def count(state: RetryCallState) -> None:
        TRIED.set(state.attempt_number - 1)

    return AsyncRetrying(
        before=count,
        retry=retry_if_exception_type(TryAgain),
        stop=stop,
        wait=wait,
        before_sleep=log,
        reraise=True,
    )


def _failure(state: RetryCallState) -> TryAgain:
    failure = state.outcome.exception() if state.outcome else None
    assert isinstance(failure, TryAgain)
    return failure
