from app.cli.group import main

main(prog_name="python -m app.cli")
