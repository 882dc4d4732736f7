import logging

from app.annotation.sources.base import ApiSource, Source
from app.annotation.upstream import BadAnswer

logger = logging.getLogger(__name__)


class Releases:
    """Asks a service for its release. A service that does not state one is asked only once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._says_it = True

    async def current(self) -> str | None:
        """Return the release of the service; None if it does not state one.

        Raises:
            Wait: the service cannot be asked now.
        """
        if not self._says_it or not isinstance(self._source, ApiSource):
            return None
        try:
            return await self._source.release()
        except BadAnswer as error:
            self._says_it = False
            logger.warning("%s does not state its release: %s", self._source.info.name, error)
            return None
