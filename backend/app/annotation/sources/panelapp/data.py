"""What is stored of PanelApp's panels."""

from typing import Annotated, Literal

import msgspec

from app.annotation.sources.structure import BY_DEFAULT, MOVES, gain, identified_by, unit

Panels = Annotated[int, unit("panels")]
"""A number of panels."""


class Panel(msgspec.Struct, frozen=True):
    """A panel that the gene is on."""

    region: Literal["UK", "AU"]
    """Whose panel it is: "UK" is Genomics England's PanelApp, and "AU" is PanelApp Australia."""

    panel_id: Annotated[int, unit("PanelApp id")]
    """The number of the panel, which differs between the regions."""

    panel: str
    """The name of the panel."""

    panel_version: Annotated[str, MOVES]
    """The version of the panel, such as 5.11."""

    confidence: Literal["green", "amber", "red", "none"]
    """How sure the reviewers are that the gene belongs on the panel: green for diagnostic use,
    amber for moderate evidence, red for too little evidence. "none" means that the gene is listed
    without a rating. PanelApp writes these as "3" (or "4"), "2", "1" and "0"."""

    mode_of_inheritance: str | None
    """The mode of inheritance for this panel, in PanelApp's words. None if PanelApp names none."""

    evidence: list[str]
    """The sources of evidence that the reviewers named, such as "Expert Review Green"."""


class PanelAppData(msgspec.Struct, frozen=True):
    """The panels of a gene."""

    green: Annotated[Panels, gain("became green on a panel"), BY_DEFAULT]
    """The number of panels on which the gene is green."""

    amber: Panels
    """The number of panels on which the gene is amber."""

    red: Panels
    """The number of panels on which the gene is red."""

    panels: Annotated[list[Panel], identified_by("region", "panel_id")]
    """All panels that list the gene itself, the best confidence first, then by region, name and
    number. Panels that name the gene only for a region of the genome or a short tandem repeat are
    left out. A super panel lists the genes of its component panels: if it lists the gene several
    times, the row of the best confidence counts."""
