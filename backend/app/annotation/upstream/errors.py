"""How a request to an upstream service can end, other than with an answer.

::

    KidneyGeneticsError
    ├── BadAnswer                 the service answered, and the answer cannot be used
    └── Wait
        └── UpstreamUnavailable   the service cannot be reached, or refuses to answer now
"""

from app.core.errors import KidneyGeneticsError, Wait


class BadAnswer(KidneyGeneticsError):
    """The service answered, and the answer cannot be used. The text is redacted and short.

    A decoder raises it, too, for a body that is not what was asked for. The request is then
    repeated once or twice before the error reaches the caller.
    """


class UpstreamUnavailable(Wait):
    """The service still cannot be reached, or still refuses, after all retries.

    Args:
        host: the host's name, as in :class:`~app.annotation.upstream.Host`.
        seconds: the time after which to try again.
        reason: what the service did, redacted.
    """

    def __init__(self, host: str, seconds: float, reason: str) -> None:
        super().__init__(host, seconds, reason)

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}; next try in {self.seconds:.0f} s"
