"""Generates ``llms.txt``, the index of the site for language models (https://llmstxt.org/)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.core.errors import UserError

START = "Start here"
"""The heading of the pages outside all sections."""


def text(config: Path, docs: Path) -> str:
    """List the pages of the site with their opening sentences.

    Args:
        config: ``mkdocs.yml``.
        docs: the folder of the pages.

    Raises:
        UserError: PyYAML is not installed.
    """
    site = _read(config)
    parts = [f"# {site['site_name']}\n", f"> {site['site_description']}\n"]
    for title, pages in _sections(site["nav"], START):
        parts += [f"## {title}\n", "\n".join(_line(docs, page) for page in pages) + "\n"]
    return "\n".join(parts)


def _read(config: Path) -> dict[str, Any]:
    try:
        import yaml  # type: ignore[import-untyped] # noqa: PLC0415 - a development dependency
    except ImportError as error:
        raise UserError("PyYAML is not installed", remedy="make") from error
    # this loader does not create Python objects from tags
    site: dict[str, Any] = yaml.load(config.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506
    return site


def _sections(nav: list[Any], title: str) -> Iterator[tuple[str, list[str]]]:
    yield title, [page for page in nav if isinstance(page, str)]
    for section in nav:
        if isinstance(section, dict):
            for name, pages in section.items():
                yield from _sections(pages, name)


def _line(docs: Path, page: str) -> str:
    title, says = _title_and_beginning((docs / page).read_text(encoding="utf-8"))
    # the built site contains HTML files
    return f"- [{title}]({page.removesuffix('.md')}.html)" + (f": {says}" if says else "")


def _title_and_beginning(text: str) -> tuple[str, str]:
    title, _, rest = text.removeprefix("# ").partition("\n")
    paragraphs = re.split(r"\n\s*\n", re.sub(r"<[^>]*>", "", rest).strip())
    words = " ".join(paragraphs[0].split())
    # links are removed, because they are relative to the page
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", words)
    # the first two sentences describe the page
    return title.strip(), " ".join(re.split(r"(?<=[.!?])\s", plain)[:2])
