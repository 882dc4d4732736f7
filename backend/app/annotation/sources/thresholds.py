"""The settings that decide when a source's answers are held."""

from typing import Annotated

from pydantic import Field

from app.annotation.upstream.settings import UpstreamSettings

Share = Annotated[float, Field(ge=0, le=1)]
"""A part of a whole: 0.05 is 5 %."""


class Thresholds(UpstreamSettings):
    """How much may be lost before the answers of a source are held."""

    max_file_loss: Share = Field(
        0.05, json_schema_extra={"section": "When the answers of a source are held"}
    )
    """The share of its rows, bytes or genes with data that a source's file may lose compared with
    the last accepted file. `0.05` is 5 %. A file that lost more is held."""

    max_turned_absent: Share = Field(0.02)
    """The share of a source's found genes that may become absent in one run. `0.02` is 2 %. If more
    genes become absent, and at least 20, the answers of the source are held."""

    complete_share: Share = Field(1)
    """The share of all genes that your addresses of the sources serve. With `1`, the first file of
    a source must have as many genes as a complete file. Use less for a mirror with some of the
    genes, such as `0.01`; `0` accepts a first file of any size."""
