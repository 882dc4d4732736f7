from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from app.annotation.upstream.host import Host

if TYPE_CHECKING:
    import httpx

    from app.annotation.upstream import Retries, Upstream
    from app.annotation.upstream.settings import UpstreamSettings
    from app.core.redis.rate_limits import RateLimiter

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Connector:
    """Connects sources to their hosts according to the settings.

    Args:
        settings: the settings of all sources.
        limiter: the request budgets.
        http: the HTTP client. The caller closes it.
        try_seconds: the timeout of one try of a request; None means the default.
    """

    settings: "UpstreamSettings"
    limiter: "RateLimiter"
    http: "httpx.AsyncClient"
    try_seconds: float | None = None

    @property
    def retries(self) -> "Retries":
        """The limits of retries."""
        from app.annotation.upstream import Retries

        return Retries(
            first=self.settings.upstream_backoff,
            max_wait=self.settings.upstream_longest_wait,
        )

    def settings_as(self, kind: type[S]) -> S:
        """Return the settings as the class that a source declares in ``info.settings``."""
        assert isinstance(self.settings, kind)
        return self.settings

    def upstream(
        self, host: Host, *, params: Mapping[str, str] | None = None, with_key: bool = True
    ) -> "Upstream":
        """Return a client of a host with the address, rate and key of the settings.

        Args:
            host: the declaration of the host.
            params: query parameters of every request.
            with_key: whether the requests use the budget of the API key, if there is one.
        """
        from app.annotation.upstream import TRY_SECONDS, Upstream, user_agent

        key = self.key(host) if with_key else None
        return Upstream(
            host,
            base_url=self.address(host),
            limiter=self.limiter,
            http=self.http,
            rate=getattr(self.settings, host.rate_setting) if host.rate_setting else None,
            key=key,
            params=dict(params or {}),
            headers={"User-Agent": user_agent(self.settings.contact_email)},
            cache_dir=self.settings.cache_dir,
            retries=self.retries,
            try_seconds=self.try_seconds or TRY_SECONDS,
        )

    def address(self, host: Host) -> str:
        """Return the address of the host."""
        return cast("str", getattr(self.settings, host.setting))

    def key(self, host: Host) -> str | None:
        """Return the API key for the host, if there is one."""
        secret = getattr(self.settings, host.key_setting) if host.key_setting else None
        return secret.get_secret_value() if secret else None
