import re
import shlex
from io import StringIO

from dotenv import dotenv_values

from app.doctor.check import Finding, check, failed, ok
from app.doctor.checks.config.env_lines import Statement, compose_reads, statements, systemd_reads
from app.doctor.context import Context

_Edit = tuple[str, str]

_REMOVALS: tuple[_Edit, ...] = (
    (r"^[[:space:]]*export[[:space:]]+", ""),
    (r"""=[[:space:]]*("[^"]*"|'[^']*')[[:space:]]*#.*$""", r"=\1"),
    (r"[[:space:]]+#.*$", ""),
)
"""What can go without changing the value: `export` and comments. Extended regular expressions and
their replacements, for sed and for Python."""

_QUOTINGS: tuple[_Edit, ...] = (
    (r"""=[[:space:]]*"([^"']*)"[[:space:]]*$""", r"='\1'"),
    (r"""=[[:space:]]*([^"'[:space:]]([^']*[^'[:space:]])?)[[:space:]]*$""", r"='\1'"),
    (r"""=[[:space:]]*([^"'[:space:]]([^"]*[^"[:space:]])?)[[:space:]]*$""", r'="\1"'),
)
"""Other ways to write the same value; the first that all three understand is taken."""


def _edited(line: str, edit: _Edit) -> str:
    pattern = edit[0].replace("[[:space:]]", "[ \\t]").replace("[:space:]", " \\t")
    return re.sub(pattern, edit[1], line, count=1)


def _dotenv(line: str) -> str | None:
    return next(iter(dotenv_values(stream=StringIO(line)).values()), None)


def _who_differs(each: Statement, line: str) -> list[str]:
    meant = (each.name, _dotenv(line))
    readers = {"systemd": systemd_reads, "Compose": compose_reads}
    return [name for name, read in readers.items() if read(line) != meant]


def _rewritten(each: Statement) -> list[_Edit]:
    """Return what has to be done to a line so that all agree on what the app reads there now."""
    meant, line = _dotenv(each.text), each.text
    steps: list[_Edit] = []
    for edit in _REMOVALS:
        shorter = _edited(line, edit)
        if shorter != line and _dotenv(shorter) == meant:
            line = shorter
            steps.append(edit)
    if not _who_differs(each, line):
        return steps
    for edit in _QUOTINGS:
        other = _edited(line, edit)
        if _dotenv(other) == meant and not _who_differs(each, other):
            return [*steps, edit]
    return []


def _command(each: Statement) -> str:
    steps = _rewritten(each)
    if not steps:
        return f"${{EDITOR:-vi}} +{each.line} .env  # in an address write %24 for $, %5C for \\"
    scripts = [f"{each.line}s/{pattern}/{replacement}/" for pattern, replacement in steps]
    return f"sed -i -E {' '.join(f'-e {shlex.quote(script)}' for script in scripts)} .env"


def _signs(each: Statement) -> str:
    value = each.text.partition("=")[2]
    found = [sign for sign in ("$", "#", "\\", '"', "'") if sign in value]
    if each.text.lstrip().startswith("export"):
        found.append("export")
    return f" ({' '.join(found)})" if found else ""


@check(
    "config.read-alike",
    "dotenv, systemd and Compose read the same in .env",
    symptom="It works in your shell, and the service is refused with the same password.",
    needs=("config.env-file",),
    why="Read differently, the same file means one password in your shell and another in the"
    " service.",
    remedy="${EDITOR:-vi} .env",
)
async def read_alike(context: Context) -> Finding:
    """Read each line as each of the three does."""
    different = {
        each: who
        for each in statements(context.env_text or "")
        if (who := _who_differs(each, each.text))
    }
    if not different:
        return ok("dotenv, systemd and Compose read the same in .env")
    return failed(
        f"read differently elsewhere: {', '.join(each.name for each in different)}",
        required="values that need no quotes, or single quotes around `$`, `#` and backslashes;"
        " comments on lines of their own; no `export`",
        found="\n".join(
            f"line {each.line}, {each.name}: {' and '.join(who)} may read something else"
            f"{_signs(each)}"
            for each, who in different.items()
        ),
        remedy="\n".join(map(_command, different)),
    )
