"""Generates the diagram of the packages, in which each arrow is an import in the code."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from app.core.errors import UserError
from app.core.process.checkout import ROOT
from reference.imports import Imports, imports_of
from reference.markdown import table

BACKEND = ROOT / "backend"

WORDS = {
    "app.main": "starts the API",
    "app.cli": "commands",
    "app.serve": "web server",
    "app.web": "pages",
    "app.api": "HTTP API",
    "app.doctor": "checks",
    "app.annotation": "sources, refresh",
    "app.core": "job engine",
    "app.db": "tables, migrations",
    "reference": "generated pages",
    "bench": "measurements",
    "demo": "make demo",
    "sandbox": "imitated upstreams",
    "services": "test servers",
}
"""The purpose of each package, in the order of the diagram. The texts are short, to fit the width
of a phone (390 px)."""

NARROW = '%%{init: {"flowchart": {"nodeSpacing": 15, "rankSpacing": 35}}}%%'

LEGEND = (
    "An arrow means that a package imports another. It is left out if other arrows lead to the "
    "same package. A dotted arrow is an exception from the rules for imports, which holds for the "
    "named module only."
)


def contracts() -> list[dict[str, Any]]:
    """Return the contracts of import-linter."""
    config = tomllib.loads((BACKEND / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = config["tool"]["importlinter"]["contracts"]
    return found


def read() -> Imports:
    """Read the imports of this project's packages.

    Raises:
        UserError: grimp is not installed, or `WORDS` lacks a package.
    """
    roots = sorted({name.partition(".")[0] for name in WORDS})
    ignored = [each for contract in contracts() for each in contract.get("ignore_imports", ())]
    found = imports_of(roots, opened=["app"], ignored=ignored)
    if nameless := set(found.packages) - WORDS.keys():
        raise UserError(
            f"the purpose of {', '.join(sorted(nameless))} is missing",
            remedy="add it to WORDS in backend/reference/layers.py",
        )
    return found


def picture(found: Imports) -> str:
    """Draw the imports as a diagram with a legend."""
    names = [*WORDS, *(name for name in found.packages if name not in WORDS)]
    shown = [name for name in names if name in found.packages]
    lines = [NARROW, "flowchart TD"]
    for name in shown:
        words = f"<br/>{WORDS[name]}" if name in WORDS else ""
        lines.append(f'    {_id(name)}["{name}{words}"]')
    for importer in shown:
        for imported in shown:
            if (importer, imported) in found.pairs and not _led(found, importer, imported):
                lines.append(f"    {_id(importer)} --> {_id(imported)}")
            elif modules := found.exceptions.get((importer, imported)):
                label = ", ".join(sorted(module.rpartition(".")[2] for module in modules))
                lines.append(f'    {_id(importer)} -. "{label}" .-> {_id(imported)}')
    return "\n".join(["```mermaid", *lines, "```", "", LEGEND])


def _led(found: Imports, importer: str, imported: str) -> bool:
    """Tell whether the importer also reaches the imported package through other packages."""
    before: set[str] = set()
    ahead = [b for a, b in found.pairs if a == importer and b != imported]
    while ahead:
        here = ahead.pop()
        if here == imported:
            return True
        if here not in before:
            before.add(here)
            ahead += [b for a, b in found.pairs if a == here]
    return False


def who_imports_whom(found: Imports) -> str:
    """Return a table of the packages with their purposes and imports."""
    rows = []
    for name in [name for name in WORDS if name in found.packages]:
        imported = [f"`{other}`" for other in WORDS if (name, other) in found.pairs]
        imported += [
            f"`{other}` (only in {' and '.join(f'`{module}`' for module in sorted(modules))})"
            for (importer, other), modules in sorted(found.exceptions.items())
            if importer == name
        ]
        rows.append([f"`{name}`", WORDS[name], ", ".join(imported) or "none"])
    return table(["Package", "Purpose", "Imports"], rows)


def rules() -> str:
    """Return the contracts of import-linter as text."""
    parts = []
    for contract in contracts():
        if contract["type"] == "layers":
            layers = [re.sub(r"[()\s]", "", each).split(":") for each in contract["layers"]]
            said = (_listed(names) for names in layers)
            text = f"Each layer imports only the layers that follow it: {'; '.join(said)}."
        else:
            sources, forbidden = contract["source_modules"], contract["forbidden_modules"]
            text = f"{_listed(sources)} must not import {_listed(forbidden)}"
            text += "." if contract.get("allow_indirect_imports") else ", directly or indirectly."
        if ignored := contract.get("ignore_imports"):
            text += f" Exceptions: {_listed(ignored)}."
        parts.append(f"**{contract['name']}**\n\n{text}\n")
    return "\n".join(parts)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def modules(package: Path) -> str:
    """Return a table of a package's modules, and one for each of its rooms.

    A room is a subpackage at any depth. The row of a module contains the first sentence of its
    docstring.
    """
    parts = []
    for room in [package, *sorted(file.parent for file in package.glob("*/**/__init__.py"))]:
        files = [file for file in sorted(room.glob("*.py")) if file.name != "__init__.py"]
        rows = [[f"`{file.name}`", _says(_parsed(file))] for file in files]
        if room != package:
            place = room.relative_to(package).as_posix()
            parts.append(f"### `{place}/`\n\n{_says(_parsed(room / '__init__.py'))}".rstrip())
        if rows:
            parts.append(table(["Module", "What it does"], rows).strip())
    return "\n\n".join(parts)


def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _says(module: ast.Module) -> str:
    """Return the first sentence of a module's docstring, else of its first public definition."""
    docstrings = (text for node in _tellers(module) if (text := ast.get_docstring(node)))
    first = re.split(r"(?<=[.!?])\s|\n\n", next(docstrings, ""), maxsplit=1)[0]
    return first.replace("``", "`")


def _tellers(
    module: ast.Module,
) -> Iterator[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    yield module
    for kind in (ast.ClassDef, (ast.FunctionDef, ast.AsyncFunctionDef)):
        for node in module.body:
            if isinstance(node, kind) and not node.name.startswith("_"):
                yield node


def _id(name: str) -> str:
    return name.replace(".", "_")
