"""What a page of the built site says, read from its HTML."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
BLOCKS = ("p", "li", "th", "td", "pre", "blockquote")
VOID = ("area", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
# what a theme adds to an article: buttons and pictures of its own
ADDED = ("button", "form", "nav", "script", "style", "svg", "template")


@dataclass
class Page:
    title: str = ""
    # level, anchor, words
    headings: list[tuple[str, str | None, str]] = field(default_factory=list)
    # element, words: of the article's blocks, an inner one before the one that it stands in
    blocks: list[tuple[str, str]] = field(default_factory=list)
    # where the article's links lead
    links: list[str] = field(default_factory=list)
    # what the whole page loads
    loads: list[str] = field(default_factory=list)
    # what it points at or loads
    references: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    # the sources of the article's diagrams
    diagrams: int = 0


@dataclass
class _Element:
    tag: str
    anchor: str | None
    words: list[str] = field(default_factory=list)
    ignored: bool = False

    def text(self) -> str:
        return " ".join("".join(self.words).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.open: list[_Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        anchor = values.get("id")
        classes = (values.get("class") or "").split()
        self.page.anchors |= {anchor} if anchor else set()
        address = values.get("href") or values.get("src")
        if address is not None:
            self.page.references.append(address)
            if tag != "a" and values.get("rel") not in {"next", "prev", "canonical"}:
                self.page.loads.append(address)
        ignored = tag in ADDED or "headerlink" in classes
        if tag == "a" and address is not None and self._in("article") and not ignored:
            self.page.links.append(address)
        if tag == "pre" and "mermaid" in classes:
            self.page.diagrams += 1
        if tag not in VOID:
            self.open.append(_Element(tag, anchor, ignored=ignored))

    def handle_endtag(self, tag: str) -> None:
        if not self._in(tag):
            return
        while (element := self.open.pop()).tag != tag:
            self._closed(element)
        self._closed(element)

    def handle_data(self, data: str) -> None:
        if any(element.ignored for element in self.open):
            return
        for element in self.open:
            element.words.append(data)

    def _closed(self, element: _Element) -> None:
        if element.tag == "title" and not self._in("svg"):
            self.page.title = element.text()
        elif self._in("article") and not any(outer.ignored for outer in self.open):
            if element.tag in HEADINGS:
                self.page.headings.append((element.tag, element.anchor, element.text()))
            elif element.tag in BLOCKS:
                self.page.blocks.append((element.tag, element.text()))

    def _in(self, tag: str) -> bool:
        return any(element.tag == tag for element in self.open)


def read(html: str) -> Page:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


def pages(site: Path) -> dict[str, Page]:
    """Every page by its path; not the one for a missing page, which only a host's root can show."""
    found = {path.relative_to(site).as_posix(): path for path in sorted(site.rglob("*.html"))}
    return {name: read(path.read_text()) for name, path in found.items() if name != "404.html"}
