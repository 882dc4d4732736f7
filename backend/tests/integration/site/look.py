"""What is wrong with a page as a browser shows it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page
from playwright.async_api import TimeoutError as TookTooLong

from harness.timing import WAIT, scaled

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
SCHEMES = {"light": "default", "dark": "slate"}
WIDTHS = (390, 1440)
HEIGHT = 900

# the theme draws diagrams in closed shadow trees, into which no test could look
OPEN_SHADOWS = """
const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function (how) {
  return attach.call(this, {...how, mode: "open"});
};
"""

DRAWN = """() => document.querySelector("pre.mermaid") === null
  && [...document.querySelectorAll("div.mermaid")]
    .every((box) => box.shadowRoot?.querySelector("svg"))
"""

# what follows a change of width is there with the next picture but one; colours need not fade
SETTLED = """new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
  .then(() => document.getAnimations().forEach((each) => each.finish()))"""

LAYOUT = r"""() => {
  const faults = [];
  const wide = document.documentElement.clientWidth;
  const article = document.querySelector("article");
  if (document.documentElement.scrollWidth > wide)
    faults.push(`the page scrolls sideways: ${document.documentElement.scrollWidth} px`);
  for (const part of article.children)
    if (part.getBoundingClientRect().right > wide + 1)
      faults.push(`reaches out of the page: ${part.outerHTML.slice(0, 80)}`);
  for (const image of document.images)
    if (!image.complete || image.naturalWidth === 0) faults.push(`no image: ${image.src}`);
  for (const box of document.querySelectorAll("div.mermaid")) {
    const drawing = box.shadowRoot.querySelector("svg");
    const {width, height} = drawing.getBoundingClientRect();
    if (drawing.getAttribute("aria-roledescription") === "error" || width < 40 || height < 40)
      faults.push(`a diagram is not drawn: ${drawing.textContent.slice(-80)}`);
  }
  for (const table of article.querySelectorAll("table")) {
    const name = table.rows[0].innerText;
    const box = table.closest(".md-typeset__scrollwrap");
    if (box === null || getComputedStyle(box).overflowX !== "auto")
      faults.push(`a table has no box to scroll in: ${name}`);
    // a word on two lines is one that was broken inside
    const texts = document.createTreeWalker(table, NodeFilter.SHOW_TEXT);
    while (texts.nextNode())
      for (const word of texts.currentNode.data.matchAll(/[\p{L}\p{N}_]+/gu)) {
        const range = document.createRange();
        range.setStart(texts.currentNode, word.index);
        range.setEnd(texts.currentNode, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map((line) => Math.round(line.top))).size > 1)
          faults.push(`a word is broken in a table: ${word[0]}`);
      }
  }
  return faults;
}"""

# to measure a contrast takes long, and it depends on these values alone: one element of each
# combination is enough
KINDS = """() => {
  const kinds = new Map();
  for (const element of document.querySelectorAll("body *")) {
    if (![...element.childNodes].some((each) => each.nodeType === 3 && each.data.trim())) continue;
    if (!element.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})) continue;
    const {color, fontSize, fontWeight, opacity} = getComputedStyle(element);
    const grounds = [];
    for (let each = element; each; each = each.parentElement) {
      const {backgroundColor, backgroundImage, opacity} = getComputedStyle(each);
      grounds.push(backgroundColor, backgroundImage, opacity);
    }
    const known = new Set(grounds.filter((each) => each !== "rgba(0, 0, 0, 0)"));
    const kind = [color, fontSize, fontWeight, opacity, ...known].join();
    if (!kinds.has(kind)) kinds.set(kind, element);
  }
  // a diagram has its texts in a tree of its own
  return [...kinds.values(), ...document.querySelectorAll("div.mermaid")];
}"""

AXE_RUN = """(where, rules) => axe.run(where, {
  preload: false, resultTypes: ["violations"], ...rules,
}).then((found) => found.violations
  .filter((rule) => ["serious", "critical"].includes(rule.impact))
  .flatMap((rule) => rule.nodes.map(
    (node) => `${rule.id}: ${node.target}: ${node.failureSummary}`)))
"""
STRUCTURE = f"() => ({AXE_RUN})('html', {{rules: {{'color-contrast': {{enabled: false}}}}}})"
CONTRAST = f"() => ({AXE_RUN})(({KINDS})(), {{runOnly: ['color-contrast']}})"


class Watched:
    """A page, and what went wrong in it or on its way since it was last asked."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self._address = address
        self._faults: list[str] = []
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("pageerror", lambda error: self._said("error", str(error)))
        page.on("request", lambda request: self._asked(request.url))
        page.on("requestfailed", lambda request: self._said("error", f"no {request.url}"))
        page.on(
            "response",
            lambda got: (
                self._said("error", f"{got.status} {got.url}") if got.status >= 400 else None
            ),
        )

    async def open(self, name: str) -> None:
        """Load a page and wait for its diagrams."""
        await self.page.goto(self._address + name)
        try:
            await self.page.wait_for_function(DRAWN, timeout=1_000 * scaled(WAIT))
        except TookTooLong:
            self._faults.append("a diagram is not drawn")

    def faults(self) -> list[str]:
        faults, self._faults = self._faults, []
        return faults

    def _said(self, kind: str, words: str) -> None:
        if kind in {"error", "warning"}:
            self._faults.append(words)

    def _asked(self, url: str) -> None:
        if not url.startswith((self._address, "data:", "blob:", "about:")):
            self._faults.append(f"asks another host: {url}")


@asynccontextmanager
async def watched(
    browser: Browser, address: str, *, scheme: str = "light", width: int = 1440, **how: Any
) -> AsyncIterator[Watched]:
    context: BrowserContext = await browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": HEIGHT},
        **how,
    )
    await context.add_init_script(OPEN_SHADOWS)
    yield Watched(await context.new_page(), address)
    await context.close()


async def faults_of(watched: Watched) -> list[str]:
    """What is wrong with the page that is open, at each width and in each scheme."""
    page = watched.page
    await page.evaluate(AXE)
    found = []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        await page.evaluate(SETTLED)
        found += [f"{width} px: {fault}" for fault in await page.evaluate(LAYOUT)]
        # a wide page shows more beside its article, and the same on every page
        if width == WIDTHS[0] or page.url.endswith("/index.html"):
            found += await page.evaluate(STRUCTURE)
    for scheme, value in SCHEMES.items():
        await page.evaluate("(value) => document.body.dataset.mdColorScheme = value", value)
        await page.evaluate(SETTLED)
        found += [f"{scheme}: {fault}" for fault in await page.evaluate(CONTRAST)]
    return [*watched.faults(), *found]
