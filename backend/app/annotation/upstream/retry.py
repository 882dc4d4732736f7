"""When a request is tried again, and when it is given up."""

import logging
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type
from tenacity.wait import wait_exponential_jitter

from app.core.errors import KidneyGeneticsError

logger = logging.getLogger(__name__)


class Trouble(StrEnum):
    """Why a try failed; each kind has a limit of its own."""

    REFUSED = "refused"  # 429: it is up, and we have to slow down
    FAULT = "fault"  # 5xx, timeouts, connections refused or reset
    CUT = "cut"  # a download that broke off after it had got further
    BODY = "body"  # an answer that cannot be used, which may be a passing fault


@dataclass(frozen=True, slots=True)
class Retries:
    """How long a service is tried.

    Args:
        refused: tries that may end in a 429.
        fault: tries that may end in a fault of the server or the connection.
        cut: times that a download may break off after having got further.
        body: tries whose body may be unusable.
        first: seconds before the second try; doubled for each further one, plus jitter.
        longest: the longest such wait, in seconds.
        seconds: no further try after so long in all.
        longest_wait: seconds that a service may ask to be left alone for; who asks for more is
            asked again then.
    """

    refused: int = 8
    fault: int = 4
    cut: int = 20
    body: int = 3
    first: float = 0.5
    longest: float = 20.0
    seconds: float = 300.0
    longest_wait: float = 14_400.0

    def limit(self, trouble: Trouble) -> int:
        """Return how many tries may end so."""
        return {
            Trouble.REFUSED: self.refused,
            Trouble.FAULT: self.fault,
            Trouble.CUT: self.cut,
            Trouble.BODY: self.body,
        }[trouble]


class TryAgain(Exception):
    """This try failed and another may succeed.

    Args:
        trouble: what kind of failure it was.
        reason: a redacted sentence.
        outcome: the exception for the caller when there is no further try.
        delay: seconds before the next; None for a jittered exponential backoff.
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
    """Return the retry loop of one request; it reraises the last :class:`TryAgain`."""
    seen: Counter[Trouble] = Counter()
    backoff = wait_exponential_jitter(
        multiplier=retries.first, max=retries.longest, jitter=retries.first
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
            "%s: %s (try %d), again in %.1f s",
            host,
            _failure(state).reason,
            state.attempt_number,
            state.upcoming_sleep,
        )

    return AsyncRetrying(
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
