import asyncio
import hashlib
import logging
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec

from app.annotation.sources.base import all_of
from app.annotation.sources.collected import Collected, CollectedSource, Pieces
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import BulkFile
from app.annotation.sources.panelapp.answers import Listed, Page, Region, decode_page, decode_panel
from app.annotation.sources.panelapp.data import PanelAppData
from app.annotation.sources.panelapp.declaration import AU, INFO, UK, PanelAppSettings
from app.annotation.sources.pictures import Labels
from app.annotation.sources.probe import HostProbe
from app.annotation.upstream.errors import BadAnswer
from app.annotation.upstream.host import Host
from app.annotation.upstream.release import Release
from app.annotation.upstream.settings import UpstreamSettings

if TYPE_CHECKING:
    from app.annotation.upstream import Upstream

logger = logging.getLogger(__name__)

LIST = "panels/"
HOSTS: dict[Region, Host] = {"UK": UK, "AU": AU}

_TRIES = 3
_GONE = " answered 404"


class _Key(NamedTuple):
    """A version of a panel."""

    region: Region
    id: int
    version: str

    def __str__(self) -> str:
        return f"{self.region}-{self.id}-{self.version}"


async def _first_page(upstream: "Upstream") -> Page:
    return await upstream.request("GET", LIST, params={"page": 1}, decode=decode_page)


def _regions(settings: UpstreamSettings) -> list[Region]:
    assert isinstance(settings, PanelAppSettings)
    chosen = settings.panelapp_regions
    return cast("list[Region]", chosen.split(","))


async def _probe(connect: Connector, region: Region) -> str:
    if region not in _regions(connect.settings):
        return f"PANELAPP_REGIONS leaves out {region}"
    page = await _first_page(connect.upstream(HOSTS[region]))
    return f"{page.count:,} panels"


async def _probe_uk(connect: Connector) -> str:
    return await _probe(connect, "UK")


async def _probe_au(connect: Connector) -> str:
    return await _probe(connect, "AU")


class PanelApp(CollectedSource):
    """The gene panels of Genomics England's PanelApp and of PanelApp Australia that list a gene.

    All public panels of both are read. A gene that no panel lists is absent. PanelApp lists regions
    of the genome (copy number variants) and short tandem repeats separately, and these are not
    read. PanelApp's HGNC ids come from the HGNC release with which PanelApp imported the gene; some
    are from 2017.

    The release is the day of the newest version of any panel. Panels that have not changed since
    the previous refresh are not fetched again.
    """

    info = INFO
    data = PanelAppData
    pictures = (
        Labels(
            title="Panels",
            field="panels",
            name="panel",
            label="confidence",
            tones={"green": "green", "amber": "amber", "red": "red", "none": "grey"},
            beside=(
                ("Region", "region"),
                ("Version", "panel_version"),
                ("Inheritance", "mode_of_inheritance"),
            ),
        ),
    )
    file = BulkFile(UK, ("panels.json.gz",), "app.annotation.sources.panelapp.reader:read")
    reuses_pieces = True
    probes = (
        HostProbe(
            host=UK,
            title="Genomics England's PanelApp answers",
            why="Runs of PanelApp wait while it does not answer.",
            ask=_probe_uk,
        ),
        HostProbe(
            host=AU,
            title="PanelApp Australia answers",
            symptom="PanelApp Australia answers 403.",
            why="Runs of PanelApp wait while it does not answer. It restricts automated clients"
            " that do not identify themselves: set CONTACT_EMAIL, and write to PanelApp Australia."
            " Until then, leave it out with PANELAPP_REGIONS=UK.",
            ask=_probe_au,
        ),
    )

    def __init__(self, connect: Connector) -> None:
        super().__init__(connect)
        self._regions = _regions(connect.settings)
        self._upstreams = {"UK": self._files, "AU": self.upstream(AU)}
        self._listed: dict[_Key, Listed] | None = None

    @classmethod
    def options(cls, settings: UpstreamSettings) -> dict[str, Any]:
        """Return the regions. The answers of some regions are not those of all."""
        return {"regions": _regions(settings)}

    @property
    def address(self) -> str:
        """The lists whose panels are collected."""
        return " ".join(self._upstreams[region].address(LIST) for region in self._regions)

    async def current_file(self) -> Release:
        """Return the day of the newest version of a panel.

        This takes a request for each 100 panels (five for England and three for Australia), because
        PanelApp names no release of the whole.
        """
        if self._listed is None:
            self._listed = await self._list_all()
        return _release(self._listed, self.address)

    async def collect(self, pieces: Pieces, release: Release) -> Collected:
        """Fetch the panels that are not there in the version of the list.

        Raises:
            BadAnswer, Wait: see :meth:`CollectedSource.collect`.
        """
        for _ in range(_TRIES):
            release = await self.current_file()
            assert self._listed is not None
            there = await asyncio.to_thread(pieces.keys)
            missing = [key for key in self._listed if str(key) not in there]
            logger.info("panelapp: fetches %d of %d panels", len(missing), len(self._listed))
            same = await all_of(self._fetch(pieces, key) for key in missing)
            if all(same):
                return Collected([str(key) for key in sorted(self._listed)], release)
            # a panel has changed since it was listed
            self._listed = None
        raise BadAnswer(f"panelapp changed {_TRIES} times while it was collected")

    async def _fetch(self, pieces: Pieces, key: _Key) -> bool:
        """Fetch a panel. Keep it, and return True, if it is of the version of the list."""
        body = b""

        def decode(received: bytes) -> Listed:
            nonlocal body
            body = received
            panel = decode_panel(received)
            if panel.id != key.id:
                raise BadAnswer(f"panel {panel.id} in place of {key.id}")
            return panel

        path = f"{LIST}{key.id}/"
        try:
            panel = await self._upstreams[key.region].request("GET", path, decode=decode)
        except BadAnswer as error:
            if _GONE in str(error):
                return False
            raise
        if panel.version != key.version:
            return False
        await asyncio.to_thread(_keep, pieces, key, body)
        return True

    async def _list_all(self) -> dict[_Key, Listed]:
        parts = await all_of(self._list(region) for region in self._regions)
        return {key: panel for part in parts for key, panel in part.items()}

    async def _list(self, region: Region) -> dict[_Key, Listed]:
        """Return the panels of a region. The list may change between two of its pages."""
        error: BadAnswer | None = None
        for _ in range(_TRIES):
            try:
                panels = await self._pages(region)
            except _NotWhole as not_whole:
                error = BadAnswer(f"{HOSTS[region].name}: {not_whole}")
            else:
                return {_Key(region, panel.id, panel.version): panel for panel in panels}
        assert error is not None
        raise error

    async def _pages(self, region: Region) -> list[Listed]:
        upstream = self._upstreams[region]
        page = await _first_page(upstream)
        panels, count, number = page.panels, page.count, 1
        while page.next is not None:
            if page.next != number + 1 or len(panels) >= count:
                raise _NotWhole(f"page {number} of the list leads to page {page.next}")
            number = page.next
            page = await upstream.request("GET", LIST, params={"page": number}, decode=decode_page)
            panels += page.panels
            if page.count != count or not page.panels:
                raise _NotWhole(f"page {number} of the list has {page.count:,} panels in all")
        if not count or not len({panel.id for panel in panels}) == len(panels) == count:
            raise _NotWhole(f"the list has {len(panels):,} of {count:,} panels")
        return panels


class _NotWhole(Exception):
    """The pages of a list do not make the whole list."""


def _release(listed: dict[_Key, Listed], address: str) -> Release:
    versions = "\n".join(sorted(map(str, listed)))
    marker = hashlib.sha256(versions.encode()).hexdigest()
    return Release(max(panel.day for panel in listed.values()), marker, address)


def _keep(pieces: Pieces, key: _Key, body: bytes) -> None:
    panel = msgspec.json.format(body, indent=-1)
    pieces.keep(str(key), b'{"region":"%s","panel":%s}\n' % (key.region.encode(), panel))
