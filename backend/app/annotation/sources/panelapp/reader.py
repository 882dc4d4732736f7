"""The reader of the file that the panels were collected in."""

from collections import Counter
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from app.annotation.sources.keyed import Grouped, ReaderRequest, reading
from app.annotation.sources.panelapp.answers import Line
from app.annotation.sources.panelapp.data import Panel, PanelAppData
from app.annotation.upstream.bulk_files.lines import UnusableFile, lines
from app.annotation.upstream.bulk_files.messages import Count, Reading

Confidence = Literal["green", "amber", "red", "none"]

# PanelApp counts 3 and more as green, see `saved_gel_status` in its source code
_CONFIDENCE: dict[str, Confidence] = {
    "4": "green",
    "3": "green",
    "2": "amber",
    "1": "red",
    "0": "none",
}
_ORDER = {"green": 0, "amber": 1, "red": 2, "none": 3}

_MAX_LINE_BYTES = 64 << 20
"""Bytes of a line. A super panel of 4,500 genes has some 5 MB."""

_MAX_BYTES = 2 << 30


class _Listing(NamedTuple):
    """A gene on a panel."""

    panel: Panel
    rank: int


def read(request: Any, path: Path) -> Reading:
    """Return the panels of each requested gene. This is the file's reader.

    Raises:
        UnusableFile: a line is not a panel, or a panel occurs twice.
    """
    rows = Grouped[_Listing](ReaderRequest.of(request), "hgnc_id")
    decoder = msgspec.json.Decoder(Line)
    seen: set[tuple[str, int]] = set()
    unnamed = 0
    for number, text in enumerate(lines(path, max_line=_MAX_LINE_BYTES, max_size=_MAX_BYTES), 1):
        try:
            line = decoder.decode(text)
        except msgspec.MsgspecError as error:
            raise UnusableFile(f"{path.name}, line {number}: {error}") from error
        region, panel = line.region, line.panel
        if (region, panel.id) in seen or panel.lacks_genes:
            raise UnusableFile(f"{path.name} has panel {panel.id} ({region}) twice, or not whole")
        seen.add((region, panel.id))
        for row in panel.genes:
            hgnc_id = row.gene_data.hgnc_id
            rated = row.confidence_level != "0"
            if hgnc_id is None:
                unnamed += 1
            elif hgnc_id not in rows.requested:
                rows.count(hgnc_id, says_something=rated)
            else:
                confidence = _CONFIDENCE[row.confidence_level]
                listed = Panel(
                    region=region,
                    panel_id=panel.id,
                    panel=panel.name,
                    panel_version=panel.version,
                    confidence=confidence,
                    mode_of_inheritance=row.mode_of_inheritance or None,
                    evidence=[each for each in row.evidence if each],
                )
                rows.add(hgnc_id, _Listing(listed, _ORDER[confidence]), says_something=rated)
    size = rows.size
    return reading([rows], _data, sizes=[Count(size.rows + unnamed, size.genes)])


def _data(listings: list[_Listing]) -> PanelAppData:
    best: dict[tuple[str, int], _Listing] = {}
    for listing in listings:
        key = listing.panel.region, listing.panel.panel_id
        if key not in best or listing.rank < best[key].rank:
            best[key] = listing
    ordered = sorted(
        best.values(),
        key=lambda each: (each.rank, each.panel.region, each.panel.panel, each.panel.panel_id),
    )
    counts = Counter(each.panel.confidence for each in ordered)
    return PanelAppData(
        green=counts["green"],
        amber=counts["amber"],
        red=counts["red"],
        panels=[each.panel for each in ordered],
    )
