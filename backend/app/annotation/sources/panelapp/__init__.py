"""PanelApp: the diagnostic panels of England and Australia that each gene is on."""

from app.annotation.sources.panelapp.source import PanelApp

__all__ = ["PanelApp"]
