"""PanelApp: the diagnostic panels of England and Australia that each gene is on."""
