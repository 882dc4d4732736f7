"""Takes the screenshots of the tutorial: `python -m demo.pictures`.

It follows the tutorial: it annotates twenty genes of the sandbox, annotates them again and kills
the worker. In between, it takes screenshots of the pages.
"""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
from playwright.async_api import Page, async_playwright

from demo.stage import TWENTY_GENES, Stage
from harness.chromium import NoChromium, launch
from harness.launcher import WORKER_READY
from harness.waiting import eventually

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"

RATE = "3"
"""Requests to ClinVar per second: so few that the run lasts long enough for a screenshot."""

SANDBOX = ("--genes", "60", "--variants-per-gene", "1000")

WIDTH, HEIGHT = 1_200, 700

PICTURES = {
    "gene": ("/genes/PKD1?sources=clinvar,gnomad,hpo,string,gtex", 1_400),
    "genes": ("/genes", HEIGHT),
    "now": ("/", HEIGHT),
    "run": ("/runs/2", 900),
}
"""The address and the height of each picture, in pixels."""

_STATE = "SELECT runs.state, done FROM runs JOIN run_sources ON run_id = id WHERE id = %(run)s"


@asynccontextmanager
async def browser_of(stage: Stage) -> AsyncIterator[Page]:
    """Open a browser, and log in."""
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        await page.goto(f"{stage.api_address}/login")
        await page.get_by_label("Token").fill(stage.token)
        await page.get_by_role("button", name="Log in").click()
        await page.wait_for_url(f"{stage.api_address}/")
        yield page
        await browser.close()


async def take(page: Page, stage: Stage, folder: Path, name: str) -> None:
    """Take a screenshot of a page."""
    path, height = PICTURES[name]
    await page.set_viewport_size({"width": WIDTH, "height": height})
    await page.goto(stage.api_address + path)
    await page.screenshot(path=folder / f"{name}.png")


async def take_all(stage: Stage, folder: Path) -> None:
    """Annotate twenty genes twice, kill the worker in the second run, and take screenshots."""
    stage.output("migrate")
    stage.output("genes-import", str(TWENTY_GENES))
    stage.env["NCBI_RATE"] = RATE
    stage.start_api()
    stage.start_worker().says(WORKER_READY)
    stage.output("annotate", "--wait")
    async with browser_of(stage) as page:
        await take(page, stage, folder, "gene")
        await take(page, stage, folder, "genes")
        run = stage.annotate("hgnc", "ensembl", "clinvar", "--mode", "full")
        clinvar = _STATE + " AND source = 'clinvar' AND done >= 5"
        await eventually(lambda: stage.rows(clinvar, run=run))
        await take(page, stage, folder, "now")
        stage.start_worker().says(WORKER_READY)
        os.kill(stage.workers[0].pid, signal.SIGKILL)
        await eventually(lambda: stage.rows(_STATE + " AND runs.state = 'succeeded'", run=run))
        await take(page, stage, folder, "run")


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=FOLDER)
def main(folder: Path) -> None:
    """Take the screenshots of the tutorial with Chromium."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="pictures-") as data,
        Stage(Path(data), live=False, sandbox=SANDBOX) as stage,
    ):
        try:
            asyncio.run(take_all(stage, folder))
        except NoChromium as problem:
            raise click.ClickException(f"{problem}") from problem


if __name__ == "__main__":
    main()
