"""The declaration of PanelApp: its two hosts and its settings.

Neither installation documents a limit. Both answer bursts with 429. PanelApp Australia restricts
automated clients that do not say who they are (its notice of February 2026), see
``CONTACT_EMAIL``.
"""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from app.annotation.sources.declaration import SourceInfo
from app.annotation.upstream.host import Host
from app.annotation.upstream.settings import UpstreamSettings

UK = Host(
    name="panelapp-uk",
    title="Genomics England's PanelApp",
    url="https://panelapp.genomicsengland.co.uk/api/v1",
    setting="panelapp_uk_url",
    rate=2,
    rate_setting="panelapp_uk_rate",
    concurrency=2,
    max_body=64 * 1024**2,  # a super panel has some 5 MB
)
AU = Host(
    name="panelapp-au",
    title="PanelApp Australia",
    url="https://panelapp-aus.org/api/v1",
    setting="panelapp_au_url",
    rate=2,
    rate_setting="panelapp_au_rate",
    concurrency=2,
    max_body=64 * 1024**2,
)


class PanelAppSettings(UpstreamSettings):
    """Which installations of PanelApp are read."""

    panelapp_regions: Literal["UK,AU", "UK", "AU"] = Field(
        "UK,AU",
        json_schema_extra={"section": "Requests to upstream services"},
    )
    """The PanelApp installations that are read. Leave out an installation that refuses your
    requests; otherwise all runs of PanelApp wait for it."""


INFO = SourceInfo(
    name="panelapp",
    title="PanelApp",
    licence="PanelApp's terms of use",
    licence_url="https://panelapp.genomicsengland.co.uk/policies/terms/",
    attribution="Genomics England PanelApp, panelapp.genomicsengland.co.uk;"
    " PanelApp Australia, panelapp-aus.org",
    hosts=(UK, AU),
    freshness=timedelta(days=30),
    gene_page="https://panelapp.genomicsengland.co.uk/panels/entities/{symbol}",
    settings=PanelAppSettings,
    # the panel DDG2P of England alone had 2,551 genes in February 2026
    min_genes=2_500,
)
