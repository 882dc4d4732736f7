"""Generates the documentation of the justfile's recipes and nox's sessions."""

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app.core.errors import UserError
from app.core.process.checkout import ROOT
from reference.markdown import table

_CALL = re.compile(r"-m app\.cli ([\w-]+)")
_SESSIONS = re.compile(r"-m (nox -s [a-z ]+[a-z])")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A public recipe.

    Attributes:
        name: the name.
        usage: the name with the arguments.
        group: the group in `just --list`.
        doc: the description.
        body: the commands.
    """

    name: str
    usage: str
    group: str
    doc: str
    body: str

    @property
    def takes_arguments(self) -> bool:
        """Whether the recipe takes arguments."""
        return self.usage != self.name


@cache
def recipes() -> tuple[Recipe, ...]:
    """Return the public recipes in the order of the justfile.

    Raises:
        UserError: just is not installed in this environment, or cannot read the justfile.
    """
    known = json.loads(_just("--dump", "--dump-format", "json"))["recipes"]
    # the dump is sorted by name; the summary omits private recipes
    names = _just("--summary", "--unsorted").split()
    return tuple(_recipe(known[name]) for name in names)


def text() -> str:
    """Return a table for each group of recipes, and one for the sessions of nox."""
    groups: defaultdict[str, list[Recipe]] = defaultdict(list)
    for recipe in recipes():
        groups[recipe.group].append(recipe)
    parts = [
        f"## {group.capitalize()}\n\n"
        + table(
            ("Recipe", "What it does", "More"),
            [(f"`just {member.usage}`", member.doc, _more(member)) for member in members],
        )
        for group, members in groups.items()
    ]
    return "\n".join([*parts, f"## Sessions of nox\n\n{_sessions()}"])


def calling(command: str) -> Recipe | None:
    """Return the recipe that calls a command of ``app.cli``."""
    return next((recipe for recipe in recipes() if command in _CALL.findall(recipe.body)), None)


def _just(*arguments: str) -> str:
    just = Path(sys.executable).with_name("just")
    if not just.exists():
        raise UserError(
            f"{just}, which reads the justfile, does not exist",
            remedy="make, in a checkout: it installs the programs for development",
        )
    done = subprocess.run(  # noqa: S603 - the project's own just, with constant arguments
        [just, "--justfile", ROOT / "justfile", *arguments],
        # just would read options from the environment
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(f"just cannot read the justfile: {done.stderr.strip()}")
    return done.stdout


def _recipe(dumped: dict[str, Any]) -> Recipe:
    usage = [dumped["name"]]
    for each in dumped["parameters"]:
        dots = "" if each["kind"] == "singular" else "..."
        optional = each["kind"] == "star" or each["default"] is not None
        usage.append(f"[{each['name']}{dots}]" if optional else f"{each['name']}{dots}")
    attributes = [each for each in dumped["attributes"] if isinstance(each, dict)]
    return Recipe(
        name=dumped["name"],
        usage=" ".join(usage),
        group=next(
            (attribute["group"] for attribute in attributes if "group" in attribute), "others"
        ),
        doc=dumped["doc"] or "",
        body=json.dumps(dumped["body"]),
    )


def _more(recipe: Recipe) -> str:
    if command := _CALL.search(recipe.body):
        return f"[`{command[1]}`](shell.md#{command[1]})"
    if sessions := _SESSIONS.search(recipe.body):
        return f"`{sessions[1]}`"
    return ""


def _sessions() -> str:
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    rows = [
        (f"`nox -s {node.name}`", ast.get_docstring(node) or "")
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any(ast.unparse(each).startswith("nox.session") for each in node.decorator_list)
    ]
    return table(("Session", "What it does"), rows)
