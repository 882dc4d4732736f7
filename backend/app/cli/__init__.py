"""The commands that the recipes call. `group` lists them, and imports the one that is called."""
