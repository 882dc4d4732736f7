from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """The requests sent to upstream services and the bytes received.

    Attributes:
        requests: the number of requests, including retries and redirects.
        rate_limited: the number of answers with the status 429.
        budget_seconds: the total time that requests waited for the request budget. The waits of
            concurrent requests are added.
        bytes_received: the bytes of the bodies as transferred (mostly compressed), without headers
            and encryption.
    """

    requests: int = 0
    rate_limited: int = 0
    budget_seconds: float = 0.0
    bytes_received: int = 0

    def __add__(self, other: "Traffic") -> "Traffic":
        """Return the sum of both."""
        return Traffic(
            self.requests + other.requests,
            self.rate_limited + other.rate_limited,
            self.budget_seconds + other.budget_seconds,
            self.bytes_received + other.bytes_received,
        )

    def __sub__(self, earlier: "Traffic") -> "Traffic":
        """Return the traffic since an earlier state."""
        return Traffic(
            self.requests - earlier.requests,
            self.rate_limited - earlier.rate_limited,
            self.budget_seconds - earlier.budget_seconds,
            self.bytes_received - earlier.bytes_received,
        )
