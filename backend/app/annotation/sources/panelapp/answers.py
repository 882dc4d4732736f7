"""The shapes of PanelApp's answers, as far as they are read.

They are those of its source code (https://gitlab.com/genomicsengland/panelapp, the serializers of
``api/v1``) and of recorded answers. PanelApp Australia is another installation of this software.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec

from app.annotation.upstream.errors import BadAnswer

Region = Literal["UK", "AU"]

SUPER_PANEL = "superpanel"


class _Stats(msgspec.Struct):
    number_of_genes: Annotated[int, msgspec.Meta(ge=0)]


class _Type(msgspec.Struct):
    slug: str


class Listed(msgspec.Struct):
    """A panel of the list."""

    id: Annotated[int, msgspec.Meta(ge=0)]
    name: Annotated[str, msgspec.Meta(min_length=1)]
    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9]+\.[0-9]+$")]
    version_created: Annotated[datetime, msgspec.Meta(tz=True)]
    stats: _Stats
    types: list[_Type]

    @property
    def day(self) -> str:
        """The day on which the version was made, in UTC."""
        return self.version_created.astimezone(UTC).date().isoformat()


class _Page(msgspec.Struct):
    count: int
    next: str | None
    results: list[Listed]


class GeneData(msgspec.Struct):
    """The gene of a row. A few genes have no HGNC id."""

    hgnc_id: Annotated[str, msgspec.Meta(pattern=r"^HGNC:[0-9]+$")] | None


class Row(msgspec.Struct):
    """A gene on a panel."""

    gene_data: GeneData
    entity_type: Literal["gene"]
    confidence_level: Literal["0", "1", "2", "3", "4"]
    mode_of_inheritance: str | None
    evidence: list[str]


class Detail(Listed):
    """A panel with its genes."""

    genes: list[Row]

    @property
    def lacks_genes(self) -> bool:
        """Whether there are fewer or more genes than the panel says.

        A super panel has the genes of its component panels. Its number of genes is stored when it
        was last made, and may lag behind.
        """
        expected = self.stats.number_of_genes
        if any(type_.slug == SUPER_PANEL for type_ in self.types):
            return bool(expected) and not self.genes
        return len(self.genes) != expected


class Line(msgspec.Struct):
    """A panel as a line of the file that the panels are collected in."""

    region: Region
    panel: Detail


class Page(msgspec.Struct):
    """A page of the list. ``next`` is the number of the next page; None if there is none."""

    count: int
    next: int | None
    panels: list[Listed]


def decode_page(body: bytes) -> Page:
    """Return a page of the list.

    Raises:
        BadAnswer: the link to the next page has no number.
        msgspec.MsgspecError: a field is missing, or has another type.
    """
    page = msgspec.json.decode(body, type=_Page)
    return Page(page.count, _number(page.next), page.results)


def decode_panel(body: bytes) -> Detail:
    """Return a panel with its genes.

    Raises:
        BadAnswer: the number of genes is not what the panel says.
        msgspec.MsgspecError: a field is missing, or has another type.
    """
    panel = msgspec.json.decode(body, type=Detail)
    if panel.lacks_genes:
        raise BadAnswer(
            f"panel {panel.id} has {len(panel.genes):,} of {panel.stats.number_of_genes:,} genes"
        )
    return panel


def _number(link: str | None) -> int | None:
    """Return the page that a link leads to. The link itself names the public service."""
    if link is None:
        return None
    pages = parse_qs(urlsplit(link).query).get("page", [""])
    if not (pages[0].isascii() and pages[0].isdecimal()):
        raise BadAnswer(f"the link to the next page is {link[:200]!r}")
    return int(pages[0])
