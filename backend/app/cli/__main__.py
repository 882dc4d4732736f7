from app.cli.group import main
from app.core.process.guard import guard

guard()
main(prog_name="python -m app.cli")
