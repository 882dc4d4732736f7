"""Reads and records the current releases of a source."""

import logging
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.refresh.origins import Origin, origin_at_service
from app.annotation.sources.base import ApiSource, Source
from app.annotation.upstream import BadAnswer
from app.annotation.upstream.release import Release
from app.core.errors import Wait

logger = logging.getLogger(__name__)

_SEEN = text(
    """
    INSERT INTO source_releases AS known (source, "of", release, marker, address)
    VALUES (:source, :of, :release, :marker, :address)
    ON CONFLICT (source, "of") DO UPDATE SET
      release = excluded.release, marker = excluded.marker, address = excluded.address,
      seen_at = now(),
      since = CASE WHEN known.marker = excluded.marker THEN known.since ELSE now() END
    """
)


class Releases:
    """The releases of one source, during one refresh of it.

    Args:
        source: the source that is refreshed.

    Attributes:
        current: the upstream's current releases by part; empty before :meth:`check` succeeded.
    """

    def __init__(self, source: Source) -> None:
        self.current: dict[Literal["file", "service"], Release] = {}
        self._source = source
        self._service_states_it = True

    @property
    def markers(self) -> list[str] | None:
        """The markers of the current releases; None if they are not known."""
        return [release.marker for release in self.current.values()] or None

    async def check(self) -> None:
        """Ask the upstream for its current releases. They stay unknown if it cannot be asked."""
        try:
            self.current = await self._source.current()
        except (BadAnswer, Wait) as error:
            name = self._source.info.name
            logger.warning(
                "%s: cannot read the current release, so stale answers are due: %s", name, error
            )

    async def record(self, connection: AsyncConnection) -> None:
        """Store the current releases."""
        for of, release in self.current.items():
            values = {
                "source": self._source.info.name,
                "of": of,
                "release": release.name,
                "marker": release.marker,
                "address": release.address,
            }
            await connection.execute(_SEEN, values)

    async def origin(self) -> Origin:
        """Return the origin of the service's current answers.

        Raises:
            Wait: the service cannot be asked now.
        """
        source = self._source
        assert isinstance(source, ApiSource)
        release = self.current.get("service")
        if release is None and self._service_states_it:
            try:
                release = source.service_release(await source.release())
            except BadAnswer as error:
                self._service_states_it = False
                logger.warning(
                    "%s: cannot read the service's release, so answers have none: %s",
                    source.info.name,
                    error,
                )
        return origin_at_service(source, source.service_address, release)
