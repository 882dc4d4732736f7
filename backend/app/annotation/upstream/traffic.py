from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """What was sent to services and received from them.

    Attributes:
        requests: the number of requests; every try counts, and every redirect that is followed.
        rate_limited: the number of answers with the status 429.
        budget_seconds: the time that requests have waited for the request budget. Of requests that
            wait at the same time, each counts.
        bytes_received: bytes of the bodies as they were sent, so mostly compressed, without headers
            and encryption.
    """

    requests: int = 0
    rate_limited: int = 0
    budget_seconds: float = 0.0
    bytes_received: int = 0

    def __add__(self, other: "Traffic") -> "Traffic":
        """Return the traffic of both."""
        return Traffic(
            self.requests + other.requests,
            self.rate_limited + other.rate_limited,
            self.budget_seconds + other.budget_seconds,
            self.bytes_received + other.bytes_received,
        )

    def __sub__(self, earlier: "Traffic") -> "Traffic":
        """Return what came after an earlier state."""
        return Traffic(
            self.requests - earlier.requests,
            self.rate_limited - earlier.rate_limited,
            self.budget_seconds - earlier.budget_seconds,
            self.bytes_received - earlier.bytes_received,
        )
