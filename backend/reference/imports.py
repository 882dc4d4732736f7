"""Reads the imports between packages from the code without executing it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.core.errors import UserError

Pair = tuple[str, str]
"""The importing package and the imported one."""


@dataclass(frozen=True, slots=True)
class Imports:
    """The imports between packages.

    Attributes:
        packages: all packages, including those without imports.
        pairs: pairs of an importing and an imported package.
        exceptions: the exceptions from the layers, with the importing modules.
    """

    packages: tuple[str, ...]
    pairs: frozenset[Pair]
    exceptions: Mapping[Pair, frozenset[str]]


def imports_of(
    roots: Sequence[str], *, opened: Sequence[str] = (), ignored: Iterable[str] = ()
) -> Imports:
    """Read the imports of packages on ``sys.path``.

    Args:
        roots: the names of the packages.
        opened: the packages whose subpackages are shown separately.
        ignored: the exceptions in import-linter's syntax: ``a.b -> c.**``.

    Raises:
        UserError: grimp is not installed.
    """
    try:
        import grimp  # noqa: PLC0415 - of the development dependencies
    except ImportError as error:
        raise UserError("grimp is not installed", remedy="make") from error
    graph = grimp.build_graph(*roots, cache_dir=None)
    packages = {name for name in roots if name not in opened}
    packages.update(*(graph.find_children(name) for name in opened))
    exceptions: dict[Pair, set[str]] = {}
    for expression in ignored:
        for found in graph.find_matching_direct_imports(expression):
            pair = _package(found["importer"], packages), _package(found["imported"], packages)
            exceptions.setdefault(pair, set()).add(found["importer"])
            graph.remove_import(importer=found["importer"], imported=found["imported"])
    pairs = {
        (_package(importer, packages), _package(imported, packages))
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    }
    return Imports(
        packages=tuple(sorted(packages)),
        # "" is an opened package itself, which contains its version and no code
        pairs=frozenset(pair for pair in pairs if "" not in pair and pair[0] != pair[1]),
        exceptions={
            pair: frozenset(modules) for pair, modules in exceptions.items() if len({*pair}) > 1
        },
    )


def _package(module: str, packages: Iterable[str]) -> str:
    return next((package for package in packages if f"{module}.".startswith(f"{package}.")), "")
