import os

from app.cli.group import main
from app.core.process.guard import guard

guard()
# the recipes hand on what was typed, so that usage lines name it
main(prog_name=os.environ.get("CALLED_AS", "python -m app.cli"))
