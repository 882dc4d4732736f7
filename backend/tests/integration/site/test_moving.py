"""zensical, to which the site can move, renders the same pages of the same files."""

from pathlib import Path

import pytest

from tests.integration.site.reading import Page, pages

pytestmark = pytest.mark.pages

SITE = "kidney-genetics"


@pytest.fixture(scope="module")
def both(site: Path, moved: Path) -> list[tuple[str, Page, Page]]:
    ours, theirs = pages(site), pages(moved)
    assert ours.keys() == theirs.keys()
    return [(name, page, theirs[name]) for name, page in ours.items()]


def test_titles_and_headings_are_the_same(both: list[tuple[str, Page, Page]]) -> None:
    for name, ours, theirs in both:
        titles = {page.title.removesuffix(f" - {SITE}") for page in (ours, theirs)}
        # the first page is called by the site's name alone in one theme
        assert len(titles - {SITE}) == 1, name
        assert ours.headings == theirs.headings, name


def test_paragraphs_tables_lists_and_code_are_the_same(both: list[tuple[str, Page, Page]]) -> None:
    for name, ours, theirs in both:
        assert ours.blocks == theirs.blocks, name
        assert ours.diagrams == theirs.diagrams, name


def test_links_are_the_same(both: list[tuple[str, Page, Page]]) -> None:
    for name, ours, theirs in both:
        assert ours.links == theirs.links, name
