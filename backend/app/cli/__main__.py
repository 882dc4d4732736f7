from app.cli.group import main
from app.core.guard import guard

guard()
main(prog_name="python -m app.cli")
