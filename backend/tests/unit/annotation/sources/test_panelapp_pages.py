"""The collection of PanelApp's lists and panels in a file."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.annotation.settings import Settings
from app.annotation.sources.connector import Connector
from app.annotation.sources.panelapp.source import PanelApp
from app.annotation.upstream import BadAnswer, Retries, UpstreamUnavailable
from app.annotation.upstream.http import USER_AGENT

COUNTS = {"uk": 5, "au": 3}
PAGE = 2

Change = Callable[[Any], httpx.Response | None]


class Service:
    """PanelApp with five and three panels. ``changes`` changes answers, by region and path."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.agents: set[str] = set()
        self.versions: dict[str, str] = {}
        self.changes: dict[str, Change] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        region, _, path = request.url.path.strip("/").partition("/")
        assert request.url.path.endswith("/")
        self.agents.add(request.headers["User-Agent"])
        page = request.url.params.get("page")
        name = f"{region} page {page}" if page else f"{region} {path.removeprefix('panels/')}"
        self.asked.append(name)
        body = self.page(region, int(page)) if page else self.panel(region, int(path[7:]))
        if (change := self.changes.get(name)) and (response := change(body)) is not None:
            return response
        return httpx.Response(200, json=body)

    def page(self, region: str, number: int) -> dict[str, Any]:
        numbers = range(1, COUNTS[region] + 1)[(number - 1) * PAGE : number * PAGE]
        more = number * PAGE < COUNTS[region]
        link = f"https://panelapp.example/api/v1/panels/?page={number + 1}"
        return {
            "count": COUNTS[region],
            "next": link if more else None,
            "results": [self.summary(region, each) for each in numbers],
        }

    def panel(self, region: str, number: int) -> dict[str, Any]:
        row = {
            "gene_data": {"hgnc_id": f"HGNC:{number}"},
            "entity_type": "gene",
            "confidence_level": "3",
            "mode_of_inheritance": "",
            "evidence": [],
        }
        return {**self.summary(region, number), "genes": [row]}

    def summary(self, region: str, number: int) -> dict[str, Any]:
        return {
            "id": number,
            "name": f"Panel {number}",
            "version": self.versions.get(f"{region} {number}", "1.0"),
            "version_created": f"2026-01-0{number}T12:00:00Z",
            "stats": {"number_of_genes": 1},
            "types": [],
        }


class OneTry(Connector):
    @property
    def retries(self) -> Retries:
        return Retries(refused=1, fault=1, cut=1, body=1)


class Unlimited:
    async def acquire(self, budget: str, rate: float) -> None:
        pass

    async def pause(self, budget: str, seconds: float) -> None:
        pass


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def source(service: Service, tmp_path: Path) -> Callable[..., PanelApp]:
    http = httpx.AsyncClient(transport=httpx.MockTransport(service))

    def connected(**more: Any) -> PanelApp:
        settings = Settings(
            _env_file=None,
            cache_dir=tmp_path,
            panelapp_uk_url="https://mirror.example/uk",
            panelapp_au_url="https://mirror.example/au",
            **more,
        )
        return PanelApp(OneTry(settings, Unlimited(), http))

    return connected


async def collected(source: PanelApp) -> list[str]:
    (download,) = await source.fetch()
    lines = gzip.decompress(download.path.read_bytes()).decode().splitlines()
    read = [json.loads(line) for line in lines]
    return [f"{line['region']} {line['panel']['id']} {line['panel']['version']}" for line in read]


WHOLE = ["AU 1 1.0", "AU 2 1.0", "AU 3 1.0", *(f"UK {number} 1.0" for number in range(1, 6))]
LISTS = ["au page 1", "au page 2", "uk page 1", "uk page 2", "uk page 3"]


async def test_all_panels_of_both_regions_make_one_file(service, source) -> None:
    panelapp = source()

    assert await collected(panelapp) == WHOLE
    (download,) = await panelapp.fetch()
    assert download.release == "2026-01-05"
    assert download.address == "https://mirror.example/uk/panels/ https://mirror.example/au/panels/"
    assert panelapp.requests == len(LISTS) + len(WHOLE)
    assert service.agents == {USER_AGENT}


async def test_a_panel_is_fetched_again_only_in_another_version(service, source) -> None:
    await collected(source())
    service.asked.clear()
    assert await collected(source()) == WHOLE
    assert sorted(service.asked) == LISTS

    before = (await source().current())["file"]
    service.asked.clear()
    service.versions["uk 2"] = "1.1"
    panelapp = source()
    after = (await panelapp.current())["file"]

    assert (before.name, before.marker) != (after.name, after.marker)
    assert "UK 2 1.1" in await collected(panelapp)
    assert sorted(service.asked) == [*LISTS[:2], "uk 2", *LISTS[2:]]


async def test_an_interrupted_collection_fetches_only_the_missing_pieces(service, source) -> None:
    service.changes["uk 4"] = lambda _: httpx.Response(503)
    with pytest.raises(UpstreamUnavailable):
        await source().fetch()
    first = {name for name in service.asked if "page" not in name}
    service.asked.clear()
    service.changes.clear()

    assert await collected(source()) == WHOLE
    again = {name for name in service.asked if "page" not in name}
    assert "uk 4" in again
    assert len(again) < len(first | again)


async def test_a_panel_that_changes_after_it_was_listed_is_listed_again(service, source) -> None:
    def publish(body: Any) -> None:
        service.versions["uk 2"] = body["version"] = "1.1"

    service.changes["uk 2"] = publish
    (download,) = await source().fetch()

    assert "UK 2 1.1" in await collected(source())
    assert download.marker == (await source().current())["file"].marker
    assert service.asked.count("uk page 1") == 4
    assert service.asked.count("uk 1") == 1


async def test_a_panel_that_keeps_changing_is_a_bad_answer(service, source) -> None:
    service.changes["uk 2"] = lambda body: httpx.Response(200, json={**body, "version": "9.9"})
    with pytest.raises(BadAnswer, match="changed 3 times"):
        await source().fetch()


async def test_a_panel_removed_after_the_listing_is_not_waited_for(service, source) -> None:
    def gone(_: Any) -> httpx.Response:
        COUNTS["uk"] = 4
        return httpx.Response(404, json={"detail": "Not found."})

    service.changes["uk 5"] = gone
    try:
        assert await collected(source()) == WHOLE[:-1]
    finally:
        COUNTS["uk"] = 5


def changed(**fields: Any) -> Change:
    return lambda body: httpx.Response(200, json={**body, **fields})


SECOND = Service().summary("uk", 2)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        # a page that is missing, repeated, or without a next page
        ("uk page 1", changed(next=None)),
        ("uk page 2", changed(next=None)),
        ("uk page 2", changed(next="https://x/panels/?page=2")),
        ("uk page 2", changed(next="https://x/panels/?page=1")),
        ("uk page 1", changed(next="https://x/panels/?page=3")),
        ("uk page 3", changed(next="https://x/panels/?page=4")),
        ("uk page 1", changed(next="https://x/panels/")),
        ("uk page 1", changed(next="")),
        ("uk page 2", changed(results=[])),
        ("uk page 2", changed(results=[Service().summary("uk", 1), SECOND])),
        ("uk page 2", changed(results=[SECOND])),
        ("uk page 2", changed(count=6)),
        ("au page 1", changed(count=0, results=[], next=None)),
        ("uk page 2", lambda _: httpx.Response(404, json={"detail": "Invalid page."})),
        # panels
        ("uk 2", changed(genes=[])),
        ("uk 2", changed(id=3)),
        ("uk 2", changed(genes=None)),
        ("uk 2", lambda body: httpx.Response(200, text=json.dumps(body)[:-1])),
        ("uk 2", lambda _: httpx.Response(200, json={"detail": "Not found."})),
        ("uk 2", lambda _: httpx.Response(404, json={"detail": "Not found."})),
    ],
)
async def test_incomplete_answers_give_no_file(
    service, source, tmp_path: Path, name: str, change: Change
) -> None:
    service.changes[name] = change
    with pytest.raises(BadAnswer):
        await source().fetch()
    assert not files(tmp_path)

    # nothing wrong was kept
    service.changes.clear()
    assert await collected(source()) == WHOLE


async def test_panelapp_australia_can_be_left_out(service, source) -> None:
    assert await collected(source(panelapp_regions="UK")) == WHOLE[3:]
    assert not [name for name in service.asked if name.startswith("au")]


async def test_requests_contain_the_contact_address(service, source) -> None:
    await collected(source(contact_email="me@example.org"))
    assert service.agents == {f"{USER_AGENT} (mailto:me@example.org)"}


async def test_a_discarded_file_is_collected_from_the_start(service, source) -> None:
    (download,) = await source().fetch()
    await download.discard()
    service.asked.clear()

    assert await collected(source()) == WHOLE
    assert len(service.asked) == len(LISTS) + len(WHOLE)


def files(folder: Path) -> list[Path]:
    return list(folder.rglob("panels.json.gz"))
