"""Watches the releases of a source: what the upstream has now, and what is stored."""

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
        source: that is refreshed.

    Attributes:
        current: what the upstream has now, by where; empty until :meth:`look` was successful.
    """

    def __init__(self, source: Source) -> None:
        self.current: dict[Literal["file", "service"], Release] = {}
        self._source = source
        self._service_states_it = True

    @property
    def markers(self) -> list[str] | None:
        """The markers of the current releases; None if they are not known."""
        return [release.marker for release in self.current.values()] or None

    async def look(self) -> None:
        """Ask the upstream what it has now. Nothing is known if it cannot be asked."""
        try:
            self.current = await self._source.current()
        except (BadAnswer, Wait) as error:
            name = self._source.info.name
            logger.warning("%s: its current release is not known: %s", name, error)

    async def record(self, connection: AsyncConnection) -> None:
        """Store what the upstream has now."""
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
        """Return the origin of the answers that the service gives now.

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
                logger.warning("%s does not state its release: %s", source.info.name, error)
        return origin_at_service(source, source.service_address, release)
