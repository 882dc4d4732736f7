import importlib
import pkgutil
import sys
from pathlib import Path

import click


def main() -> None:
    """Run one of the measurements in this folder."""
    names = sorted(
        module.name
        for module in pkgutil.iter_modules([str(Path(__file__).parent)])
        if not module.name.startswith("_")
    )
    if len(sys.argv) < 2 or sys.argv[1] not in names:  # noqa: PLR2004 - its own name comes first
        click.echo(
            f"Usage: bench NAME [OPTIONS], where NAME is one of {', '.join(names)}", err=True
        )
        sys.exit(2)
    name = sys.argv.pop(1)
    importlib.import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main()
