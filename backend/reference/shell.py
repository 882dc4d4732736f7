import click

from app.cli.group import main
from reference.recipes import calling

_WIDTH = 80


def text() -> str:
    """Return the ``--help`` of each command, with the name of its recipe, if any."""
    parts = [_paragraphs(main.help or "")]
    for name in main.list_commands(click.Context(main)):
        command = main.get_command(click.Context(main), name)
        assert command is not None
        recipe = calling(name)
        said = f"Recipe: `just {recipe.name}`." if recipe else "No recipe calls this command."
        # a recipe without arguments accepts no options
        program = "just" if recipe and recipe.takes_arguments else "python -m app.cli"
        # the layout must not depend on the terminal or the environment
        context = click.Context(
            main, info_name=program, terminal_width=_WIDTH, color=False, **main.context_settings
        )
        own = click.Context(command, info_name=recipe.name if recipe else name, parent=context)
        parts.append(f"## {name}\n\n{said}\n\n```text\n{command.get_help(own)}\n```")
    return "\n\n".join(parts)


def _paragraphs(docstring: str) -> str:
    return "\n\n".join(" ".join(each.split()) for each in docstring.split("\n\n"))
