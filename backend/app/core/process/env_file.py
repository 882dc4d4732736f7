"""Reads settings from the environment and an env file, and explains what is wrong with them."""

import difflib
import json
import logging
import os
import re
from collections.abc import Callable, Collection, Iterable
from io import StringIO
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from dotenv.parser import Binding, parse_stream
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from app.core.errors import WrongUse
from app.core.process.checkout import ROOT
from app.core.process.redaction import redact

logger = logging.getLogger(__name__)

# dotenv logs unreadable lines without the name of the file; this module refuses such a file
logging.getLogger("dotenv.main").setLevel(logging.ERROR)

# variables of compose.yaml, which reads the same .env
_OF_COMPOSE = re.compile(r"COMPOSE_|POSTGRES_PASSWORD$|REDIS_(API|WORKER)_PASSWORD$")

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,60}")
_FIRST_WORD = re.compile(r"\s*(?:export\s+)?(\w+)")


S = TypeVar("S", bound=BaseSettings)


def load_settings(
    model: type[S],
    env_file: Path = ROOT / ".env",
    other_settings: Callable[[], Iterable[str]] = tuple,
) -> S:
    """Read and validate all settings.

    Args:
        model: the settings to read.
        env_file: the file that is read in addition to the environment.
        other_settings: returns the names of settings that other parts of the program read from the
            same file. It is called only if the file has a name that ``model`` does not have.

    Raises:
        WrongUse: some settings are invalid. The message lists every problem with the variable, the
            value that was found and the values that are allowed.
    """
    try:
        problems = _problems_of(env_file, model, other_settings)
        settings = model(_env_file=env_file)
    except UnicodeDecodeError as error:
        problems = [_undecodable(env_file, error)]
    except ValidationError as error:
        problems += [_sentence(problem, model) for problem in error.errors(include_url=False)]
    if problems:
        _refuse(problems, env_file)
    return settings


def load_part(model: type[S], env_file: Path) -> S:
    """Read some of the settings, even if others are invalid.

    Args:
        model: the settings to read.
        env_file: the file that is read in addition to the environment.

    Raises:
        WrongUse: as :func:`load_settings`.
    """
    try:
        return model(_env_file=env_file)
    except UnicodeDecodeError as error:
        _refuse([_undecodable(env_file, error)], env_file)
    except ValidationError as error:
        _refuse(
            [_sentence(problem, model) for problem in error.errors(include_url=False)], env_file
        )


def _undecodable(env_file: Path, error: UnicodeDecodeError) -> str:
    return f"{env_file}: found bytes that are not UTF-8, at position {error.start}"


def _refuse(problems: list[str], env_file: Path) -> NoReturn:
    raise WrongUse(
        "the settings cannot be used:\n" + "\n".join(f"  - {problem}" for problem in problems),
        remedy=f"edit {env_file} or the environment; `.env.example` lists every setting",
    )


def _problems_of(
    env_file: Path, model: type[BaseSettings], other_settings: Callable[[], Iterable[str]]
) -> list[str]:
    """Return the problems of the file itself.

    A name that resembles a known setting is refused, because it is probably a typo. Other unknown
    names may belong to other programs, and are only logged.
    """
    if not env_file.is_file():
        return []
    known = {name.upper() for name in model.model_fields}
    bindings = list(parse_stream(StringIO(env_file.read_text(encoding="utf-8"))))
    if not {binding.key.upper() for binding in bindings if binding.key is not None} <= known:
        known |= {name.upper() for name in other_settings()}
    problems = []
    for binding in bindings:
        if binding.error:
            where = f"{env_file}, line {binding.original.line}"
            problems.append(f"{where}: cannot be read{_near(binding, known)}; allowed: NAME=value")
        elif binding.key is not None and binding.key.upper() not in known:
            near = difflib.get_close_matches(binding.key.upper(), sorted(known), n=1, cutoff=0.8)
            if near:
                problems.append(
                    f"{binding.key}: unknown setting in {env_file}, did you mean {near[0]}?"
                )
            elif binding.key not in os.environ and not _OF_COMPOSE.match(binding.key):
                # a line of a multi-line secret may look like a name and a value
                name = binding.key if _NAME.fullmatch(binding.key) else "a name that is not shown"
                logger.warning(
                    "%s in %s is not a setting of this project, and is ignored", name, env_file
                )
    return problems


def _near(binding: Binding, known: Collection[str]) -> str:
    """Return the setting that an unreadable line names; any other word may be a secret."""
    name = _FIRST_WORD.match(binding.original.string)
    return f", near {name[1]!r}" if name and name[1].upper() in known else ""


_ALLOWED = {
    "bool_parsing": "True or False",
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "too_short": "at least 8 characters",
    "string_pattern_mismatch": "an address",
}
"""The allowed values, by pydantic's name of the error."""


def is_secret(field: FieldInfo) -> bool:
    """Return whether the value of a setting is secret and must not be displayed."""
    return "Secret" in str(field.annotation)


def _sentence(problem: Any, model: type[BaseSettings]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else "settings"
    field = model.model_fields.get(name)
    found = (
        "a value that is not shown"
        if field is not None and is_secret(field)
        else redact(json.dumps(problem["input"], default=str))
    )
    if problem["type"] == "value_error":
        allowed = str(problem["ctx"]["error"])
    else:
        message = problem["msg"].removeprefix("Input should be ")
        allowed = _ALLOWED.get(problem["type"], message)
    if problem["type"] == "string_pattern_mismatch":
        example = "you@example.org" if "@" in problem["ctx"]["pattern"] else "https://host/path"
        allowed += f": {example}"
    return f"{name.upper()}: found {found}, allowed: {allowed}"
