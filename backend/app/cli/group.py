from importlib import import_module

import click

_COMMANDS = {
    "annotate": "app.cli.annotate",
    "runs": "app.cli.runs",
    "show": "app.cli.runs",
    "cancel": "app.cli.runs",
    "retry": "app.cli.runs",
    "status": "app.cli.status",
    "genes-import": "app.cli.genes",
    "migrate": "app.cli.migrate",
    "backup": "app.cli.backup",
    "restore": "app.cli.backup",
    "api": "app.cli.serve",
    "doctor": "app.cli.doctor",
}
"""Each command's module. Only the one that is called is imported: together they take seconds, and
the doctor has to speak where a package that another needs is missing."""


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(_COMMANDS[cmd_name])
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


@click.group(
    cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
def main() -> None:
    """Annotate genes, and look after the runs that do so.

    Works on the database itself; no API has to be running. Results go to stdout, everything else
    to stderr. The exit status is 1 when something failed, and 2 when the call was wrong.
    """
