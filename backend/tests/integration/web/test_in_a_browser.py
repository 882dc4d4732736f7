"""The pages in Chromium, with a running API, a worker and the sandbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from harness.timing import WAIT, scaled
from tests.integration.web.answers import statements
from tests.integration.web.conftest import ADMIN, VIEWER
from tests.plant import Plant

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
SERIOUS = """() => axe.run({resultTypes: ["violations"]}).then((found) => found.violations
  .filter((rule) => ["serious", "critical"].includes(rule.impact))
  .flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.target}`)))"""
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"

LOOKS = "/runs/new?source=hgnc"
"""The address of a form that shows what a run would do."""

PAGES = (
    *("/", "/runs", "/runs/1", "/runs/1/log", "/runs/new", LOOKS),
    *("/sources", "/sources/hgnc", "/workers", "/doctor", "/doctor?only=config"),
    *("/schedules", "/schedules/nightly", "/notifications", "/no-such-page"),
    *("/search", "/search?q=PK", "/changes", "/changes?since=2026-01-01&order=source"),
    *("/genes", "/genes?order=-clinvar.variants&where=hgnc.name?", "/genes?where=x"),
    *("/genes/PKD1", "/genes/TTN", "/genes/PKD1/history", "/genes/PKD11"),
)
REFUSED = ("/no-such-page", "/genes/PKD11", "/genes?where=x")
"""Addresses of missing objects and invalid addresses."""

SMALL = 150_000
"""The bytes of a page with all its resources."""


@dataclass
class Window:
    """A tab with its errors."""

    page: Page
    address: str
    faults: list[str]
    received: int = 0

    async def open(self, path: str) -> None:
        await self.page.goto(self.address + path)


@asynccontextmanager
async def window(
    browser: Browser, address: str, token: str = ADMIN, **how: Any
) -> AsyncIterator[Window]:
    context = await browser.new_context(**how)
    context.set_default_timeout(1_000 * scaled(WAIT))
    # the content security policy of the pages forbids evaluation
    await context.add_init_script(AXE)
    tab = Window(await context.new_page(), address, [])

    def said(kind: str, words: str) -> None:
        if kind in {"error", "warning"}:
            tab.faults.append(words)

    def asked(url: str) -> None:
        if not url.startswith(address):
            tab.faults.append(f"asks another host: {url}")

    tab.page.on("console", lambda message: said(message.type, message.text))
    tab.page.on("pageerror", lambda error: said("error", str(error)))
    tab.page.on("request", lambda request: asked(request.url))
    await tab.open("/login")
    await tab.page.get_by_label("Token").fill(token)
    await tab.page.get_by_role("button", name="Log in").click()
    await expect(tab.page.get_by_role("heading", name="Now", exact=True)).to_be_visible()
    yield tab
    await context.close()


def said(tab: Window, words: str) -> Locator:
    """A line of the timeline's text version."""
    return tab.page.get_by_role("listitem").filter(has_text=words)


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=1_000 * scaled(WAIT))


RUN = """
WITH run AS (
  INSERT INTO runs (task, sources, mode, state, epoch, losses, started_at, finished_at, error)
  VALUES ('run_pipeline_task', '{hgnc}', 'smart', 'failed', 2, 1, now(), now(), 'no disk')
  RETURNING id
), source AS (
  INSERT INTO run_sources (run_id, source, position, state, active, total, done, found, error)
  SELECT id, 'hgnc', 1, 'failed', false, 400, 120, 120, 'no disk' FROM run
)
INSERT INTO run_events (run_id, epoch, event, at, detail)
SELECT id, epoch, event, now() + make_interval(secs => seconds), '{"worker": 1}'
FROM run, (VALUES (1, 'claimed', 0), (1, 'lost', 9), (2, 'taken over', 10), (2, 'failed', 19))
  AS t (epoch, event, seconds)
"""


@pytest.fixture
async def served(plant: Plant) -> str:
    """The address of an API with a run that failed, a run that waits, and a schedule."""
    plant.fill()
    plant.rows(RUN)
    plant.rows(
        "INSERT INTO schedules (name, kind, cron, zone, mode, overlap, catch_up, next_at, by)"
        " VALUES ('nightly', 'cron', '0 3 * * 0', 'Europe/Berlin', 'smart', 'skip', 3600,"
        " now() + interval '1 day', 'Ada')"
    )
    for statement, values in statements("PKD1"):
        plant.rows(statement, **values)
    _, address = await plant.api(ADMIN_TOKEN=ADMIN, VIEWER_TOKEN=VIEWER)
    plant.annotate("hgnc")
    return address


@pytest.fixture
async def executing(plant: Plant) -> str:
    """The address of an API, while a worker executes a run of ClinVar.

    The run takes minutes, so that it outlasts the tests on any machine.
    """
    plant.fill()
    plant.worker(NCBI_RATE="2")
    _, address = await plant.api(ADMIN_TOKEN=ADMIN, VIEWER_TOKEN=VIEWER)
    plant.annotate("clinvar")
    await plant.until(lambda run: run["state"] == "running")
    return address


@pytest.mark.timeout(240)
async def test_every_page_is_whole_readable_and_accessible(chromium: Browser, served: str) -> None:
    found = []
    for scheme in ("light", "dark"):
        for width in (390, 1440):
            async with window(
                chromium,
                served,
                color_scheme=scheme,
                viewport={"width": width, "height": 900},
            ) as tab:
                for path in PAGES:
                    await tab.open(path)
                    if path == LOOKS:
                        await tab.page.get_by_role("button", name="Show what").click()
                        await expect(tab.page.get_by_text("Start this run")).to_be_visible()
                    where = f"{path}, {scheme}, {width} px"
                    if await tab.page.evaluate(SIDEWAYS):
                        found.append(f"{where}: it scrolls sideways")
                    found += [f"{where}: {each}" for each in await tab.page.evaluate(SERIOUS)]
                    if path not in REFUSED:  # whose status the browser reports
                        found += [f"{where}: {each}" for each in tab.faults]
                    tab.faults.clear()
    assert found == []


async def test_related_elements_are_in_one_row(chromium: Browser, served: str) -> None:
    rows = "(all) => new Set(all.map((each) => { const box = each.getBoundingClientRect();"
    rows += " return Math.round((box.top + box.bottom) / 20) })).size"
    async with window(chromium, served, viewport={"width": 390, "height": 900}) as tab:
        await tab.open("/runs/1")
        assert await tab.page.locator(".bars > span").evaluate_all(rows) == 1
    async with window(chromium, served, viewport={"width": 1200, "height": 900}) as tab:
        assert await tab.page.locator("header nav > *").evaluate_all(rows) == 1


async def test_progress_moves_without_a_reload(chromium: Browser, executing: str) -> None:
    async with window(chromium, executing) as tab:
        await expect(tab.page.get_by_text("1 run is being executed")).to_be_visible()
        bar = tab.page.get_by_label("clinvar")
        await expect(bar).not_to_have_attribute("value", "0")
        before = await bar.get_attribute("value")
        await expect(bar).not_to_have_attribute("value", str(before))
        assert tab.faults == []


async def test_a_killed_workers_gap_is_on_the_timeline(
    chromium: Browser, plant: Plant, executing: str
) -> None:
    plant.worker(NCBI_RATE="2")
    async with window(chromium, executing) as tab:
        await tab.open("/runs/1")
        await expect(said(tab, "attempt under epoch 1")).to_be_visible()
        run = await plant.until(lambda run: run["done"] > 0)
        victim = next(each for each in plant.processes if each.pid == run["pid"])
        victim.kill()
        await expect(said(tab, "no worker for")).to_be_visible()
        await expect(tab.page.locator("svg.timeline rect.gap")).to_have_count(1)
        await expect(tab.page.locator("svg.timeline rect.attempt.lost")).to_have_count(1)


async def test_keys_lead_to_pages_and_through_lists(chromium: Browser, served: str) -> None:
    async with window(chromium, served) as tab:
        keyboard = tab.page.keyboard
        await keyboard.press("?")
        await expect(tab.page.get_by_role("dialog")).to_be_visible()
        await keyboard.press("Escape")
        await keyboard.press("g")
        await keyboard.press("r")
        await expect(tab.page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
        await keyboard.press("/")
        await expect(tab.page.get_by_label("Find a gene")).to_be_focused()
        await tab.page.get_by_role("heading", name="Runs", exact=True).click()
        await keyboard.press("j")
        await expect(tab.page.get_by_role("link", name="2", exact=True)).to_be_focused()


async def test_a_gene_is_found_with_the_keyboard_alone(
    chromium: Browser, plant: Plant, served: str
) -> None:
    plant.rows("INSERT INTO genes (hgnc_id, symbol) VALUES ('HGNC:1', 'ZZT1'), ('HGNC:2', 'ZZT2')")
    plant.rows(
        "INSERT INTO gene_names (hgnc_id, kind, name)"
        " VALUES ('HGNC:9', 'symbol', 'ZZT9'), ('HGNC:1', 'alias', 'ZZT9A')"
    )
    async with window(chromium, served) as tab:
        keyboard, box = tab.page.keyboard, tab.page.get_by_label("Find a gene")
        found = tab.page.locator("#found")
        await keyboard.press("/")
        await keyboard.type("zz")
        await expect(found.get_by_role("status")).to_have_text(
            "3 genes have names that begin with zz."
        )
        await keyboard.press("ArrowDown")
        await expect(found.get_by_role("link", name="ZZT1")).to_be_focused()
        await keyboard.press("j")
        await expect(found.get_by_role("link", name="ZZT2")).to_be_focused()
        await keyboard.press("k")
        await keyboard.press("ArrowUp")
        await expect(box).to_be_focused()
        assert await tab.page.evaluate(SERIOUS) == []
        await keyboard.press("Escape")
        await expect(found).to_be_hidden()
        await keyboard.press("/")
        await keyboard.press("Enter")
        await tab.page.wait_for_url("**/genes/HGNC:1")
        # a gene without a page is not skipped in favour of another one with the same prefix
        await keyboard.press("/")
        await keyboard.type("zzt")
        await expect(found.get_by_role("listitem")).to_have_count(3)
        await keyboard.type("9")
        await expect(found.get_by_role("status")).to_have_text(
            "zzt9: approved symbol, not in this database."
        )
        await keyboard.press("Enter")
        await tab.page.wait_for_url("**/search?q=zzt9")


async def test_forms_work_without_scripts(chromium: Browser, plant: Plant, served: str) -> None:
    async with window(chromium, served, java_script_enabled=False) as tab:
        await tab.open("/runs/1")
        await tab.page.get_by_role("link", name="Zoom in").click()
        await tab.page.get_by_role("link", name="Later").click()
        await expect(tab.page.get_by_role("link", name="Whole run")).to_be_visible()
        await tab.open("/runs/2")
        await tab.page.get_by_role("button", name="Cancel").click()
        await plant.until(lambda run: run["state"] == "cancelled")
        await expect(tab.page.get_by_role("button", name="Retry")).to_be_visible()
        await tab.open("/runs")
        await tab.page.get_by_label("State").select_option("cancelled")
        await tab.page.get_by_role("button", name="Show").click()
        await expect(tab.page.get_by_role("link", name="2", exact=True)).to_be_visible()


async def test_streams_end_when_the_server_stops(
    chromium: Browser, plant: Plant, served: str
) -> None:
    async with window(chromium, served) as tab:
        await expect(tab.page.get_by_text("No worker is alive")).to_be_visible()
        api = next(each for each in plant.processes if each.name == "the API")
        await asyncio.to_thread(api.stop)
        assert api.returncode == 0
        assert "timeout graceful shutdown exceeded" not in api.logged()
