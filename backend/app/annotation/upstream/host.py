"""The declaration of an upstream service: its address, limits and settings."""

import hashlib
from dataclasses import dataclass

_DIGEST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """An upstream service. Its settings are generated from this declaration.

    Args:
        name: one word, such as "ncbi". It names the request budget and the host that a run waits
            for.
        title: what the service is, as the documentation of its setting: "HGNC's REST service".
        url: the address of the public service.
        setting: the name of the setting that replaces this address, such as "hgnc_rest_url".
        rate: requests a second that the service allows without a key.
        rate_setting: the name of the setting that replaces the rate if the address is not the
            public one; None if there is no such setting.
        rate_with_key: the rate with an API key, whose setting is ``<name>_api_key``; None if the
            service has no keys.
        concurrency: the maximum number of concurrent requests of one source in one process.
        max_body: the maximum length of a decompressed response body in bytes.
        max_download: the maximum length of a file in bytes.
        redirects: whether the host redirects file downloads to another address. API requests never
            follow a redirect.

    Raises:
        ValueError: the host redirects and has API keys. A key must not reach another host.
    """

    name: str
    title: str
    url: str
    setting: str
    rate: float
    rate_setting: str | None = None
    rate_with_key: float | None = None
    concurrency: int = 4
    max_body: int = 16 * 1024**2
    max_download: int = 64 * 1024**2
    redirects: bool = False

    def __post_init__(self) -> None:
        if self.redirects and self.rate_with_key is not None:
            message = f"{self.name} follows redirects, so it cannot have API keys"
            raise ValueError(message)

    @property
    def key_setting(self) -> str | None:
        """The name of the setting that holds the API key; None if the service has no keys."""
        return None if self.rate_with_key is None else f"{self.name}_api_key"

    def budget(self, key: str | None) -> str:
        """Return the name of the budget of requests with this key, or of those without a key."""
        return f"{self.name}:{digest(key)}" if key else self.name

    def allowed(self, key: str | None) -> float:
        """Return the number of requests a second that the service allows."""
        return (self.rate_with_key if key else None) or self.rate


def digest(text: str) -> str:
    """Return a short digest that identifies a text without revealing it."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
