"""The errors that requests to an upstream service raise.

::

    KidneyGeneticsError
    ├── BadAnswer                 the service answered, but the answer cannot be used
    └── Wait
        └── UpstreamUnavailable   the service cannot be reached, or refuses to answer now
"""

from app.core.errors import KidneyGeneticsError, Wait


class BadAnswer(KidneyGeneticsError):
    """The service answered, but the answer cannot be used. The message is redacted and short.

    Decoders also raise it for a body that does not answer the request. The request is then retried
    once or twice before the error reaches the caller.
    """


class UpstreamUnavailable(Wait):
    """The service is unreachable or refuses to answer, after all retries.

    Args:
        host: the host's name, as in :class:`~app.annotation.upstream.Host`.
        seconds: the seconds until the next attempt.
        reason: what happened, redacted.
    """

    def __init__(self, host: str, seconds: float, reason: str) -> None:
        super().__init__(host, seconds, reason)

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}; next try in {self.seconds:.0f} s"
