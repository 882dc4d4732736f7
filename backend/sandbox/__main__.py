import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sandbox.options import DEFAULT_CACHE, Options
from sandbox.registry import SERVICES
from sandbox.server import Sandbox

ENDINGS = frozenset(
    {
        *("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM"),
        *("SIGPROF", "SIGPOLL", "SIGIO", "SIGPWR", "SIGSTKFLT", "SIGXCPU"),
    }
)
"""The signals that end a process by default and do not report a fault in it (signal(7))."""

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_RATE = click.FloatRange(min=0, min_open=True)


_BUDGETS = {
    setting.lower(): budget
    for service in SERVICES
    for setting, budget in service.rate_settings.items()
}
"""The options for rates, with click's parameter names, and their budgets."""

Command = TypeVar("Command", bound=Callable[..., None])


def _rate_options(command: Command) -> Command:
    for name in reversed(_BUDGETS):
        option = f"--{name.replace('_', '-')}"
        click.option(option, type=_RATE, help="Requests a second.")(command)
    return command


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, help="The port; 0 picks a free one."
)
@click.option(
    "--genes",
    type=click.IntRange(1),
    help="The number of genes; by default 5,000, or all genes of --gene-list.",
)
@click.option("--limits", type=click.Choice(["real", "off"]), default="real", show_default=True)
@_rate_options
@click.option("--variants-per-gene", type=click.IntRange(0), default=40, show_default=True)
@click.option("--skew", type=click.Choice(["flat", "clinvar"]), default="flat", show_default=True)
@click.option(
    "--gene-list", type=_FILE, help="A TSV file with symbol and hgnc_id. These genes come first."
)
@click.option(
    "--gene-specific-summary", type=_FILE, help="A file to serve as gene_specific_summary.txt."
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--cache-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_CACHE,
    help="The folder for generated files.",
)
@click.option("--prepare", is_flag=True, help="Generate the bulk files before serving.")
def main(
    *,
    port: int,
    prepare: bool,
    **options: Any,
) -> None:
    """Serve all upstream services and their bulk files on one loopback port.

    Prints the settings that point at the sandbox, then serves until SIGTERM, SIGINT or another
    terminating signal, such as the SIGHUP of a closed terminal.
    """
    given = {budget: options.pop(name) for name, budget in _BUDGETS.items()}
    rates = {budget: rate for budget, rate in given.items() if rate is not None}
    try:
        sandbox = Sandbox(Options(rates=rates, **options), port=port)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"cannot serve: {error}") from error
    if prepare:
        sandbox.prepare()
    # Blocked in all threads, including the server's, so that only `sigwait` below receives them.
    stopping = {number for number in signal.valid_signals() if _name(number) in ENDINGS}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
    with sandbox:
        for name, value in sandbox.settings.items():
            click.echo(f"{name}={value}")
        # The last line is a comment. It marks the end of the settings for programs that read them.
        genes = len(sandbox.catalogue.genes)
        click.echo(f"# {genes:,} genes; put these lines into .env; stop with Ctrl-C")
        signal.sigwait(stopping)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


if __name__ == "__main__":
    main()
