import click

from app.cli.annotate import annotate
from app.cli.genes import genes_import
from app.cli.migrate import migrate
from app.cli.runs import cancel, retry, runs, show
from app.cli.serve import api
from app.cli.status import status


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Annotate genes, and look after the runs that do so.

    Works on the database itself; no API has to be running. Results go to stdout, everything else
    to stderr. The exit status is 1 when something failed, and 2 when the call was wrong.
    """


for command in (annotate, runs, show, cancel, retry, status, genes_import, migrate, api):
    main.add_command(command)
