"""The commands that change a line of ``.env``. None shows the value that stands there."""

from app.doctor.context import Context


def line_of(name: str) -> str:
    """Return the extended regular expression that finds a setting's line up to its value."""
    return rf"^[[:space:]]*(export[[:space:]]+)?{name}[[:space:]]*="


def take_default(context: Context, name: str) -> str:
    """Return the command after which a setting has its default again."""
    held = [each for each in context.environ if each.upper() == name]
    if held:
        return f"unset {' '.join(held)}"
    return f"sed -i -E '/{line_of(name)}/Is/^/# /' .env"
