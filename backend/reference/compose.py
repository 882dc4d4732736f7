import re

from app.annotation.settings import Settings
from app.core.config import Settings as Engine
from app.core.process.checkout import ROOT
from reference.markdown import table

_LINE = re.compile(r"^ +([A-Z][A-Z0-9_]*): (.*)$", re.MULTILINE)
_REQUIRED = re.compile(r"\$\{([A-Z0-9_]+):\?set it in \.env to ([^}]*)\}")

FILE = ROOT / "compose.yaml"


def passed_on() -> str:
    """Return the lines that pass the sources' settings to the containers.

    A setting with a line elsewhere in the file is skipped: secrets go only to the service that
    needs them.
    """
    file = FILE.read_text(encoding="utf-8")
    before, _, rest = file.partition("  # generated: sources\n")
    elsewhere = {name for name, _ in _LINE.findall(before + rest.partition("  # end of ")[2])}
    names = (name.upper() for name in Settings.model_fields if name not in Engine.model_fields)
    return "".join(f"  {name}: ${{{name}:-}}\n" for name in names if name not in elsewhere)


def text() -> str:
    """Return the variables that Compose needs in `.env`, and the settings that it sets."""
    lines = _LINE.findall(FILE.read_text(encoding="utf-8"))
    wanted: dict[str, tuple[str, list[str]]] = {}
    fixed: list[str] = []
    for variable, value in lines:
        for name, what in _REQUIRED.findall(value):
            into = wanted.setdefault(name, (what.replace('"', "`"), []))[1]
            if variable not in into:
                into.append(variable)
        own = value.startswith(f"${{{variable}:")
        if variable.lower() in Settings.model_fields and not own:
            fixed.append(variable)
    rows = [
        (f"`{name}`", what, ", ".join(f"`{each}`" for each in into))
        for name, (what, into) in wanted.items()
    ]
    named = ", ".join(f"`{name}`" for name in dict.fromkeys(fixed))
    return (
        f"{table(('Variable', 'Value', 'Used for'), rows)}\n"
        f"`compose.yaml` itself sets {named}: in its containers, values of these in `.env` have no"
        " effect. All other settings are passed on to the containers.\n"
    )
