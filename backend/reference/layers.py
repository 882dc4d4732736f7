"""The architecture picture: each of its arrows is an import that the code has."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from app.core.config import ROOT
from app.core.errors import UserError
from reference.imports import Imports, imports_of
from reference.markdown import table

BACKEND = ROOT / "backend"

WORDS = {
    "app.main": "starts the API",
    "app.cli": "the shell",
    "app.api": "HTTP",
    "app.doctor": "finds faults",
    "app.annotation": "sources, batches",
    "app.core": "the job engine",
    "app.db": "tables, migrations",
    "reference": "these pages",
    "bench": "measurements",
    "demo": "make demo",
    "sandbox": "upstream, imitated",
    "services": "servers from wheels",
}
"""What each package is for, in the order of the picture; short, as a phone is 390 px wide."""

NARROW = '%%{init: {"flowchart": {"nodeSpacing": 15, "rankSpacing": 35}}}%%'

LEGEND = (
    "An arrow is an import that the code has; one whose way others lead as well is left out. "
    "A dotted arrow goes against the layers, or beside them: only the module named on it may do so."
)


def contracts() -> list[dict[str, Any]]:
    """Return what import-linter holds the code to."""
    config = tomllib.loads((BACKEND / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = config["tool"]["importlinter"]["contracts"]
    return found


def read() -> Imports:
    """Read the imports of this project's packages.

    Raises:
        UserError: what reads imports is not installed, or a package has no words.
    """
    roots = sorted({name.partition(".")[0] for name in WORDS})
    ignored = [each for contract in contracts() for each in contract.get("ignore_imports", ())]
    found = imports_of(roots, opened=["app"], ignored=ignored)
    if nameless := set(found.packages) - WORDS.keys():
        raise UserError(
            f"{', '.join(sorted(nameless))}: nothing says what it is for",
            remedy="say it in WORDS, in backend/reference/layers.py",
        )
    return found


def picture(found: Imports, *, within: str = "") -> str:
    """Draw the imports as a diagram, with its legend.

    Args:
        found: what to draw.
        within: only packages whose names begin with this.
    """
    names = [*WORDS, *(name for name in found.packages if name not in WORDS)]
    shown = [name for name in names if name in found.packages and name.startswith(within)]
    lines = [NARROW, "flowchart TD"]
    for name in shown:
        words = f"<br/>{WORDS[name]}" if name in WORDS else ""
        lines.append(f'    {_id(name)}["{name}{words}"]')
    for importer in shown:
        for imported in shown:
            if (importer, imported) in found.pairs and not _led(found, importer, imported):
                lines.append(f"    {_id(importer)} --> {_id(imported)}")
            elif modules := found.exceptions.get((importer, imported)):
                label = ", ".join(sorted(each.rpartition(".")[2] for each in modules))
                lines.append(f'    {_id(importer)} -. "{label}" .-> {_id(imported)}')
    return "\n".join(["```mermaid", *lines, "```", "", LEGEND])


def _led(found: Imports, importer: str, imported: str) -> bool:
    """Tell whether a way leads there over other packages."""
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
    """Return a table: a package, what it is for, and which others it imports."""
    rows = []
    for name in [name for name in WORDS if name in found.packages]:
        imported = [f"`{other}`" for other in WORDS if (name, other) in found.pairs]
        imported += [
            f"`{other}`, in {' and '.join(f'`{each}`' for each in sorted(modules))} alone"
            for (importer, other), modules in sorted(found.exceptions.items())
            if importer == name
        ]
        rows.append([f"`{name}`", WORDS[name], ", ".join(imported) or "none of these"])
    return table(["Package", "What it is for", "Imports"], rows)


def rules() -> str:
    """Return the contracts in words."""
    parts = []
    for contract in contracts():
        if contract["type"] == "layers":
            layers = [re.sub(r"[()\s]", "", each).split(":") for each in contract["layers"]]
            said = (_listed(names) for names in layers)
            text = f"From the top, each imports only what is below it: {'; '.join(said)}."
            if ignored := contract.get("ignore_imports"):
                text += f" Let through by name: {_listed(ignored)}."
        else:
            sources, forbidden = contract["source_modules"], contract["forbidden_modules"]
            text = f"No import leads from {_listed(sources)} to {_listed(forbidden)}"
            text += "." if contract.get("allow_indirect_imports") else ", nor through others."
        parts.append(f"**{contract['name']}**\n\n{text}\n")
    return "\n".join(parts)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def modules(package: Path) -> str:
    """Return a table for the package and one for each of its rooms, with what they say they are.

    A room is a package in the package, at any depth. A module's row has its first sentence.
    """
    parts = []
    for room in [package, *sorted(file.parent for file in package.glob("*/**/__init__.py"))]:
        files = [file for file in sorted(room.glob("*.py")) if file.name != "__init__.py"]
        rows = [[f"`{file.name}`", _says(_parsed(file))] for file in files]
        if room != package:
            place = room.relative_to(package).as_posix()
            parts.append(f"### `{place}/`\n\n{_says(_parsed(room / '__init__.py'))}".rstrip())
        if rows:
            parts.append(table(["Module", "What it is"], rows).strip())
    return "\n\n".join(parts)


def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _says(module: ast.Module) -> str:
    """Find a module's docstring; or its first public class', or else its first function's."""
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
