from collections.abc import Mapping

from sqlalchemy import text

from app.annotation.refresh.source_refresh import Refresh, nothing_but_unknowns
from app.annotation.sources import build
from app.annotation.upstream import new_http_client, usable_cache_dir
from app.annotation.upstream.settings import UpstreamSettings
from app.core.errors import UserError
from app.core.process.logs import bound_contextvars
from app.core.redis.rate_limits import RateLimiter
from app.core.runs.attempt import Attempt


class Pipeline:
    """Executes runs: refreshes each source of a run, one after the other.

    Args:
        settings: addresses, keys and thresholds.
        limiter: the request budgets, shared by all workers.

    Raises:
        UserError: the environment names a proxy or certificates that cannot be used, or CACHE_DIR
            cannot be written to.
    """

    def __init__(self, settings: UpstreamSettings, limiter: RateLimiter) -> None:
        self._settings = settings
        self._limiter = limiter
        usable_cache_dir(settings.cache_dir)
        self._http = new_http_client(settings.upstream_timeout)

    async def close(self) -> None:
        """Close the connections to the upstream services."""
        await self._http.aclose()

    async def run(self, attempt: Attempt) -> None:
        """Execute what is left of a run.

        Raises:
            UserError: a source got nothing but unknowns, or its answers were not accepted.
            Superseded, Wait, BadAnswer: see there.
        """
        run_id = attempt.ref.run_id
        async with attempt.reading() as connection:
            result = await connection.execute(
                text(
                    "SELECT source, state, error FROM run_sources WHERE run_id = :id"
                    " ORDER BY position"
                ),
                {"id": run_id},
            )
            sources = result.all()
        errors = {
            row.source: row.error or nothing_but_unknowns(row.source)
            for row in sources
            if row.state == "failed"
        }
        for name, state, _ in sources:
            if state not in {"succeeded", "failed"}:
                source = build(name, self._settings, self._limiter, self._http)
                refresh = Refresh(attempt, source, self._settings)
                with bound_contextvars(source=name):
                    error = await refresh.run(afresh=state == "queued")
                if error is not None:
                    errors[name] = error
        if errors:
            raise UserError("; ".join(errors.values()), remedy=_remedy(run_id, errors))


def _remedy(run_id: int, errors: Mapping[str, str]) -> str:
    retry = f"`just retry {run_id}`"
    lost = [name for name, error in errors.items() if error != nothing_but_unknowns(name)]
    if not lost:
        return f"see the reasons with `just show {run_id}`, then {retry}"
    accepting = " ".join(f"--accept-losses {name}" for name in lost)
    return (
        f"see whether the service has a fault, and when it is fixed, {retry}; only if these data"
        f" are really gone, `just retry {run_id} {accepting}`"
    )
