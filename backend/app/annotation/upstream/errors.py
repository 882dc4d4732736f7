"""How a request to an upstream service can end, other than with an answer.

::

    KidneyGeneticsError
    ├── BadAnswer                 it answered, and the answer cannot be used
    └── Wait
        └── UpstreamUnavailable   it cannot be reached, or refuses for now
"""

from app.core.errors import KidneyGeneticsError, Wait


class BadAnswer(KidneyGeneticsError):
    """The service answered, and the answer cannot be used. The text is redacted and short.

    Also raised by a decoder whose body is not what was asked for; the request is then repeated
    once or twice before this reaches the caller.
    """


class UpstreamUnavailable(Wait):
    """The service cannot be reached or refuses for now, after all retries.

    Args:
        host: the host's name, as in :class:`~app.annotation.upstream.Host`.
        seconds: when to try again.
        reason: what it did, redacted.
    """

    def __init__(self, host: str, seconds: float, reason: str) -> None:
        super().__init__(host, seconds, reason)

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}; to be tried again in {self.seconds:.0f} s"
