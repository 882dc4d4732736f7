"""Where the site, README.md and deploy/README.md point to."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown import markdown

from tests.conftest import REPOSITORY
from tests.integration.site.reading import pages, read

pytestmark = pytest.mark.pages

DOCS = REPOSITORY / "docs"
PLACEHOLDER = re.compile(r"example\.|localhost|your|todo|[<>{}]|\.\.\.", re.IGNORECASE)
HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def faults(link: str) -> Iterator[str]:
    """What is wrong with a link to another site."""
    parts = urlsplit(link)
    if parts.scheme != "https":
        yield "is not https"
    if not HOST.fullmatch(parts.netloc):
        yield "names no host"
    if re.search(r"\s", link) or link[-1] in ".,;:!?'\")]":
        yield "has something of its sentence in it"
    if PLACEHOLDER.search(link):
        yield "is a placeholder"


def is_external(link: str) -> bool:
    return bool(urlsplit(link).scheme or urlsplit(link).netloc)


@pytest.mark.parametrize("generator", ["site", "moved"])
def test_links_within_the_site_lead_somewhere(
    generator: str, request: pytest.FixtureRequest
) -> None:
    site: Path = request.getfixturevalue(generator)
    every = pages(site)
    broken = []
    for name, page in every.items():
        for link in filter(None, page.references):
            if is_external(link):
                continue
            parts = urlsplit(link)
            target = (site / name).parent / unquote(parts.path) if parts.path else site / name
            there = target.resolve().relative_to(site.resolve()).as_posix()
            if not target.is_file():
                broken.append(f"{name}: {link}: no such file")
            elif parts.fragment and unquote(parts.fragment) not in every[there].anchors:
                broken.append(f"{name}: {link}: no such place in it")
    assert broken == []


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    loads = [(name, each) for name, page in pages(site).items() for each in page.loads]
    assert loads
    assert [(name, each) for name, each in loads if is_external(each)] == []


def test_links_to_other_sites_are_well_formed(site: Path) -> None:
    links = {
        (name, link)
        for name, page in pages(site).items()
        for link in page.references
        if is_external(link)
    }
    assert links
    assert [(name, link, fault) for name, link in sorted(links) for fault in faults(link)] == []


@pytest.mark.parametrize("file", ["README.md", "deploy/README.md"])
def test_links_from_outside_the_site_lead_somewhere(file: str, site: Path) -> None:
    path = REPOSITORY / file
    broken = []
    for link in read(markdown(path.read_text(), extensions=["toc", "tables"])).references:
        if is_external(link):
            broken += [f"{link} {fault}" for fault in faults(link)]
            continue
        parts = urlsplit(link)
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.exists():
            broken.append(f"{link}: no such file")
        elif parts.fragment and target.is_relative_to(DOCS):
            page = (site / target.relative_to(DOCS)).with_suffix(".html")
            if parts.fragment not in read(page.read_text()).anchors:
                broken.append(f"{link}: no such place in it")
        elif parts.fragment and parts.fragment not in anchors(target):
            broken.append(f"{link}: no such place in it")
    assert broken == []


def anchors(path: Path) -> set[str]:
    return read(markdown(path.read_text(), extensions=["toc", "fenced_code"])).anchors
