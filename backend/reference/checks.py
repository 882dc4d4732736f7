"""Generates the documentation of the doctor's checks, ordered by symptom."""

from collections.abc import Iterator
from itertools import groupby

from app.core.checks import Check
from app.doctor.recipes import commands
from app.doctor.registry import CHECKS
from reference.markdown import table

AS_ROOT = ("sudo ", "timedatectl ", "systemctl ")
"""The prefixes of commands that change the server and not only the checkout."""


def index() -> str:
    """Return a table of all symptoms, in the order of the sections."""
    rows = [[_link(check, _symptom(check)), f"`{check.id}`"] for check in CHECKS]
    return table(["You notice", "Check"], rows)


def text() -> str:
    """Return a section for each check, with the anchor that the doctor prints."""
    parts = []
    for group, checks in groupby(CHECKS, key=lambda check: check.group):
        parts.append(f"## {group}")
        for check in checks:
            parts += _section(check)
    return "\n\n".join(parts)


def _section(check: Check) -> Iterator[str]:
    yield f'<a id="{_anchor(check)}"></a>'
    yield f"### {_symptom(check)}"
    yield check.why
    if check.fix is not None:
        yield "The doctor can repair it:"
        yield _commands(f"just doctor --only {check.id} --fix")
    elif check.remedy:
        yield "To repair it:"
        yield _commands(commands(check.remedy))
    else:
        yield "To see the cause and the command that repairs it:"
        yield _commands(f"just doctor --only {check.id}")
    yield f"The check `{check.id}` requires: {check.title}."


def _commands(lines: str) -> str:
    title = ' title="Server"' if lines.startswith(AS_ROOT) else ""
    return f"```sh{title}\n{lines}\n```"


def _link(check: Check, words: str) -> str:
    return f"[{words}](#{_anchor(check)})"


def _anchor(check: Check) -> str:
    return check.docs.partition("#")[2]


def _symptom(check: Check) -> str:
    return check.symptom.removesuffix(".")
