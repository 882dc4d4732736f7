"""What is stored of PanelApp's panels."""

from typing import Annotated, Literal

import msgspec

from app.annotation.sources.structure import BY_DEFAULT, MOVES, gain, identified_by, unit

Panels = Annotated[int, unit("panels")]
"""A number of panels."""


class Panel(msgspec.Struct, frozen=True):
    """A panel that lists the gene."""

    region: Literal["UK", "AU"]
    """The instance of PanelApp: "UK" is Genomics England's PanelApp, and "AU" is PanelApp
    Australia."""

    panel_id: Annotated[int, unit("PanelApp id")]
    """The id of the panel in its region. The same id means different panels in the two regions."""

    panel: str
    """The name of the panel."""

    panel_version: Annotated[str, MOVES]
    """The version of the panel, such as 5.11."""

    confidence: Literal["green", "amber", "red", "none"]
    """PanelApp's rating of the gene on this panel: green (diagnostic grade), amber (moderate
    evidence) or red (not enough evidence). "none" means that the gene is listed without a rating.
    PanelApp's confidence levels are 3 or 4 for green, 2 for amber, 1 for red and 0 for none."""

    mode_of_inheritance: str | None
    """PanelApp's term for the mode of inheritance of the gene on this panel. Null if PanelApp
    states none."""

    evidence: list[str]
    """The sources of evidence that PanelApp lists for the gene on this panel, such as "Expert
    Review Green"."""


class PanelAppData(msgspec.Struct, frozen=True):
    """The panels of a gene."""

    green: Annotated[Panels, gain("became green on a panel"), BY_DEFAULT]
    """The number of panels of both regions on which the gene is green."""

    amber: Panels
    """The number of panels of both regions on which the gene is amber."""

    red: Panels
    """The number of panels of both regions on which the gene is red."""

    panels: Annotated[list[Panel], identified_by("region", "panel_id")]
    """All panels that list the gene itself, sorted by confidence (the best first), region, name and
    id. Panels that name the gene only for a region of the genome or a short tandem repeat are left
    out. If a super panel lists the gene several times, for several of its component panels, the
    entry with the best confidence is stored."""
