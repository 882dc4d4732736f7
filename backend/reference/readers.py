"""Finds the readers of each setting in the code."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from app.annotation.settings import Settings
from app.annotation.sources.hgnc import FILES
from app.annotation.upstream.settings import UpstreamSettings
from app.core.config import Settings as Engine
from app.core.errors import UserError
from app.core.notify.channels.settings import ChannelSettings
from app.core.notify.rules import RuleSettings
from app.core.process.checkout import ROOT

_BACKEND = ROOT / "backend"
_DECLARING = {
    "app.core.config",
    "app.annotation.settings",
    "app.core.notify.channels.settings",
    "app.annotation.upstream.settings",
    "app.core.retention.settings",
}

_API, _WORKERS, _RUNS = "the API", "workers", "whatever executes runs"
_COMMANDS, _IMPORT, _DOCTOR = "commands", "`just genes-import`", "the doctor"
_HYBRID = "`just hybrid-up`"

_WORDS = {
    "app.main": [_API],
    "app.main._start_executing": [_RUNS],
    "app.api": [_API],
    "app.web": [_API],
    "app.core.arq_worker": [_WORKERS],
    "app.core.notify": [_API, _RUNS],
    "app.core.workers.engine": [_RUNS],
    "app.core.runs.outcome": [_RUNS],
    "app.core.retention": [_RUNS],
    "app.annotation.notices": [_API, _RUNS],
    "app.annotation.scheduled": [_RUNS],
    "app.core.process.tracing": [_RUNS],
    "app.annotation.data.retention": [_RUNS],
    "app.annotation.data.file_retention": [_RUNS],
    "app.annotation.refresh": [_RUNS],
    "app.annotation.sources": [_RUNS],
    "app.annotation.sources.connector": [_RUNS, _IMPORT],
    "app.annotation.genes.importing": [_IMPORT],
    "app.cli": [_COMMANDS],
    "app.cli.genes": [_IMPORT],
    "app.cli.serve": [_API],
    "app.serve": [_API],
    "app.core.redis.server_info": [_DOCTOR],
    "app.core.workers.processes": [_DOCTOR],
    "app.doctor": [_DOCTOR],
    "services": [_HYBRID],
    # asks only whether Compose would have a value
    "services.compose": [],
}
"""The program that a package, module or function belongs to; the longest matching name applies."""

_ORDER = (_API, _RUNS, _WORKERS, _COMMANDS, _IMPORT, _HYBRID)
"""The order of the readers. The doctor is omitted, because it reads every setting."""

_INCLUDED = {_WORKERS: _RUNS, _IMPORT: _COMMANDS}
"""Readers that are omitted next to a more general one."""


@cache
def readers(app: Path = _BACKEND / "app") -> dict[str, list[str]]:
    """Return the readers of each setting.

    Raises:
        UserError: a module that reads settings is not assigned, or a setting has no reader.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for part, node in _parts(app):
        read = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
        for name in read & set(Settings.model_fields):
            found[name].update(_who(part))
    for part, node in _parts(_BACKEND / "services"):
        # this module reads settings by name, because it runs before the model is loaded
        said = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
        for name in Settings.model_fields:
            if name.upper() in said:
                found[name].update(_who(part))
    # the settings of a source are read through its declaration
    channels = {*ChannelSettings.model_fields, *RuleSettings.model_fields}
    channels -= set(Engine.model_fields)
    declared = set(Settings.model_fields) - set(UpstreamSettings.model_fields) - channels
    for name in declared:
        found[name].add(_RUNS)
    for name in channels:
        found[name].update((_API, _RUNS))
    found[FILES.setting].add(_IMPORT)
    unread = [name.upper() for name in Settings.model_fields if not found[name] - {_DOCTOR}]
    if unread:
        raise UserError(f"nothing reads {', '.join(unread)}", remedy="take it out of the settings")
    return {
        name: [
            who for who in _ORDER if who in found[name] and _INCLUDED.get(who) not in found[name]
        ]
        for name in Settings.model_fields
    }


def _parts(package: Path) -> Iterator[tuple[str, ast.stmt]]:
    """Yield the functions and classes of each module by full name, and other code by module."""
    for file in sorted(package.rglob("*.py")):
        module = ".".join(file.relative_to(package.parent).with_suffix("").parts)
        if module in _DECLARING:
            continue
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            name = getattr(node, "name", None)
            yield (f"{module}.{name}" if name else module), node


def _who(part: str) -> list[str]:
    if "checks." in part:
        return [_DOCTOR]
    name = part
    while name not in _WORDS:
        name = name.rpartition(".")[0]
        if not name:
            raise UserError(
                f"{part} reads settings, but is not assigned to a program",
                remedy="add it to `_WORDS` in backend/reference/readers.py",
            )
    return _WORDS[name]
