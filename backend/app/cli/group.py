import gc
from importlib import import_module
from typing import NamedTuple

import click


class _Listed(NamedTuple):
    module: str
    summary: str


COMMANDS = {
    "annotate": _Listed("app.cli.annotate", "Start a run that annotates genes."),
    "runs": _Listed("app.cli.runs", "List the runs, the newest first."),
    "show": _Listed("app.cli.runs", "Show the progress and the events of a run."),
    "log": _Listed("app.cli.run_log", "Show the last log lines of a run."),
    "cancel": _Listed("app.cli.runs", "Cancel a run."),
    "retry": _Listed("app.cli.runs", "Continue a failed or cancelled run."),
    "accept": _Listed("app.cli.runs", "Accept the held answers of a source."),
    "changes": _Listed("app.cli.changes", "Show what changed since a time, or by a run."),
    "status": _Listed("app.cli.status", "Show the workers and the queue."),
    "schedules": _Listed(
        "app.cli.schedules", "Show the schedules and the outcomes of their ticks."
    ),
    "schedule-add": _Listed("app.cli.schedules", "Add a schedule for runs, snapshots or backups."),
    "schedule-pause": _Listed("app.cli.schedules", "Pause a schedule."),
    "schedule-resume": _Listed("app.cli.schedules", "Resume a paused schedule."),
    "schedule-run": _Listed("app.cli.schedules", "Do a tick of a schedule now."),
    "schedule-remove": _Listed("app.cli.schedules", "Remove a schedule."),
    "notifications": _Listed("app.cli.notifications", "List the notifications."),
    "notify-test": _Listed("app.cli.notify", "Send a test message through every channel."),
    "notify-failure": _Listed("app.cli.notify", "Report that a systemd unit failed."),
    "sources": _Listed("app.cli.sources", "Show the sources: releases, coverage and age."),
    "genes-import": _Listed("app.cli.genes", "Import genes from a file or from HGNC."),
    "list-add": _Listed("app.cli.lists", "Add a list of genes, or replace it."),
    "lists": _Listed("app.cli.lists", "List the gene lists."),
    "list-remove": _Listed("app.cli.lists", "Remove a list of genes."),
    "source-add": _Listed("app.cli.own_tables", "Add a table of your own as a source."),
    "source-remove": _Listed("app.cli.own_tables", "Remove a table of your own."),
    "snapshot": _Listed("app.cli.snapshots", "Freeze the annotations under a name."),
    "rollback": _Listed("app.cli.rollback", "Restore the former answers of a source."),
    "search": _Listed("app.cli.search", "Find genes by part of a name."),
    "resolve": _Listed("app.cli.resolve", "Resolve names to genes."),
    "gene": _Listed("app.cli.gene", "Show the answers of the sources about a gene."),
    "export": _Listed("app.cli.export", "Export genes and their annotations to a file."),
    "migrate": _Listed("app.cli.migrate", "Bring the tables of the database up to date."),
    "backup": _Listed("app.cli.backup", "Back up the database to a file."),
    "restore": _Listed("app.cli.backup", "Restore a backup into an empty database."),
    "api": _Listed("app.cli.serve", "Serve the API."),
    "doctor": _Listed("app.cli.doctor", "Report problems and the commands that repair them."),
}
"""The module of each command, and its line in the list of commands.

Only the module of the called command is imported: importing all of them takes more than a second of
processor time, and the doctor must work even if a package of another command is missing.
"""


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        # collection would take a tenth of the import time and find no garbage
        gc.disable()
        module = import_module(COMMANDS[cmd_name].module)
        gc.enable()
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def invoke(self, ctx: click.Context) -> object:
        from app.core.process.exits import exit_on_user_error
        from app.doctor.recipes import explain

        with exit_on_user_error(explain):
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.summary) for name, listed in COMMANDS.items()])


@click.group(
    cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
def main() -> None:
    """Annotate genes, and manage the runs that do so.

    The commands access the database directly, so the API need not be running. Results go to stdout,
    everything else to stderr. The exit status is 1 if the command failed, and 2 if its arguments or
    the settings are wrong.
    """
