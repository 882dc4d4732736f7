import difflib
import json
import logging
import os
import re
from collections.abc import Callable, Collection, Iterable
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar

from dotenv.parser import Binding, parse_stream
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import DotEnvSettingsSource

from app.core.errors import WrongUse
from app.core.process.checkout import ROOT, SERVICES_ENV
from app.core.process.redaction import redact
from app.core.process.tracing.target import read_headers
from app.core.redis import address as redis_url
from app.core.text.field_docs import describe_fields
from app.db import address

logger = logging.getLogger(__name__)

# dotenv logs unreadable lines without the name of the file; this module refuses such a file
logging.getLogger("dotenv.main").setLevel(logging.ERROR)

# variables of compose.yaml, which reads the same .env
_OF_COMPOSE = re.compile(r"COMPOSE_|POSTGRES_PASSWORD$|REDIS_(API|WORKER)_PASSWORD$")

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,60}")
_FIRST_WORD = re.compile(r"\s*(?:export\s+)?(\w+)")


class Settings(BaseSettings):
    """The engine's settings, from the environment or the `.env` at the top of the checkout.

    The environment takes precedence over `.env`, and `.env` over the addresses of the servers that
    were started for this checkout. The text under a field is its documentation. The first field of
    a section names the section.

    The rest of the program adds its settings in subclasses, which read the same environment and
    the same `.env`.
    """

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        json_schema_extra=describe_fields,
        validate_default=True,
        frozen=True,
        # a value in an error message might be a secret
        hide_input_in_errors=True,
    )

    database_url: SecretStr = Field(
        SecretStr("postgresql://localhost:5432/kidney_genetics"),
        json_schema_extra={"section": "Servers and files"},
    )
    """The PostgreSQL database of the genes, the annotations and the runs:
    `postgresql://user:password@host:5432/name`, or any other address that psql accepts. In the user
    and the password, write `@`, `/` and `%` percent-encoded. `?options=-csearch_path%3DKG` keeps
    the tables in the schema KG. If there are several hosts (`host1,host2`), the primary is used."""

    redis_url: SecretStr = SecretStr("redis://localhost:6379/0")
    """The Redis database for wake-ups and request budgets: `redis://`, `rediss://` (TLS; with
    `?ssl_ca_certs=FILE` for your own certificate authority), `unix://`, or
    `redis+sentinel://host1:26379,host2:26379/service/0`. In a password, write `/` as `%2F`, `?` as
    `%3F`, `#` as `%23` and `%` as `%25`. Not used if the API executes the runs itself."""

    use_arq_worker: bool = Field(
        default=False, json_schema_extra={"section": "How runs are executed"}
    )
    """`True`: arq workers execute runs. `False`: the API executes runs itself."""

    arq_queue_name: str = Field("kidney_genetics_tasks", min_length=1, max_length=200)
    """The Redis key of the queue. The API and all workers must use the same key."""

    arq_max_jobs: int = Field(3, ge=1, le=100)
    """The number of runs that one worker executes at the same time."""

    arq_job_timeout: int = Field(21_600, ge=1, le=7 * 86_400)
    """The timeout of an attempt in seconds, for jobs that have no timeout of their own."""

    run_max_failures: int = Field(5, ge=1, le=100)
    """The number of failed attempts in a row without progress after which a run fails."""

    run_backoff_base: float = Field(30.0, gt=0, le=86_400)
    """Seconds between the first failed attempt and the second. The time doubles with each further
    failure and has jitter."""

    run_backoff_cap: float = Field(1_800.0, gt=0, le=86_400)
    """The maximum number of seconds between two attempts."""

    upstream_longest_wait: float = Field(14_400.0, gt=0, le=86_400)
    """The maximum number of seconds that a run waits for an upstream service, whatever its
    `Retry-After` says. Then the run sends a request again."""

    admin_token: SecretStr | None = Field(
        None, min_length=8, json_schema_extra={"section": "The API"}
    )
    """The bearer token for `/api/admin`, and the token for all actions on the pages. Without it,
    the calls below `/api/admin` answer 503."""

    viewer_token: SecretStr | None = Field(None, min_length=8)
    """The token for reading the pages, without actions. If neither this token nor `ADMIN_TOKEN` is
    set, the pages are closed."""

    read_token: SecretStr | None = Field(None, min_length=8)
    """The bearer token for all other calls below `/api`: genes, sources, changes, snapshots and
    exports. `ADMIN_TOKEN` is accepted too. If it is not set, everybody who can reach the API can
    read them."""

    api_max_connections: int = Field(1_000, ge=8, le=10_000)
    """The maximum number of connections of the API, or fewer if the process may not open so many
    files. At the limit, it closes the connection whose client has been silent for the longest
    time."""

    api_root_path: str = Field("", pattern=r"^(/[A-Za-z0-9._~-]+)*$")
    """The path below which a reverse proxy serves the API and the pages, such as `/kidney`, if the
    proxy removes this path from requests. Empty: they are served at the root of the host."""

    api_client_timeout: float = Field(10.0, gt=0, le=600)
    """Seconds within which a client must send a whole request, and read each part of the answer."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The lowest level of the messages that are logged."""

    otel_exporter_otlp_endpoint: str | None = Field(
        None, pattern=r"^https?://[^\s/]+", json_schema_extra={"section": "Traces"}
    )
    """The address of a collector that accepts traces over OTLP with HTTP, such as
    `http://localhost:4318`. `/v1/traces` is appended. Empty: no traces are sent."""

    otel_exporter_otlp_headers: SecretStr | None = None
    """Headers that the collector requires, as `name=value`, separated by commas. In a value, write
    a comma as `%2C`, a blank as `%20` and `%` as `%25`."""

    otel_exporter_otlp_certificate: Path | None = None
    """A file with the certificate authority of the collector, if it is your own."""

    otel_service_name: str = Field("kidney-genetics", min_length=1, max_length=200)
    """The name of this installation in the traces."""

    @field_validator("otel_exporter_otlp_endpoint")
    @classmethod
    def _without_a_query(cls, value: str | None) -> str | None:
        if value is not None and re.search(r"[\s?#]", value):
            message = "an address without ? and #, because /v1/traces is appended"
            raise ValueError(message)
        return value

    @field_validator("otel_exporter_otlp_headers")
    @classmethod
    def _headers(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            read_headers(value.get_secret_value())
        return value

    @field_validator("otel_exporter_otlp_certificate")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None and not os.access(value, os.R_OK):
            message = "a readable file"
            raise ValueError(message)
        return value

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: SecretStr) -> SecretStr:
        address.parse(value.get_secret_value())
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr) -> SecretStr:
        known = redis_url.parse(value.get_secret_value())
        for name in redis_url.FILES:
            if name in known.options and not os.access(known.options[name], os.R_OK):
                message = f"a readable file as the value of {name}"
                raise ValueError(message)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Add the servers that were started for this checkout, unless `.env` is not read."""
        del file_secret_settings
        sources = [init_settings, env_settings, dotenv_settings]
        if isinstance(dotenv_settings, DotEnvSettingsSource) and dotenv_settings.env_file:
            sources.append(DotEnvSettingsSource(settings_cls, env_file=SERVICES_ENV))
        return tuple(sources)


S = TypeVar("S", bound=Settings)
B = TypeVar("B", bound=BaseSettings)


def load_settings(
    env_file: Path = ROOT / ".env",
    model: type[S] = Settings,  # type: ignore[assignment]
    other_settings: Callable[[], Iterable[str]] = tuple,
) -> S:
    """Read and validate all settings.

    Args:
        env_file: the file that is read in addition to the environment.
        model: the settings to read.
        other_settings: returns the names of settings that other parts of the program read from the
            same file. It is called only if the file has a name that ``model`` does not have.

    Raises:
        WrongUse: some settings are invalid. The message lists every problem with the variable, the
            value that was found and the values that are allowed.
    """
    try:
        problems = _problems_of(env_file, model, other_settings)
        settings = model(_env_file=env_file)  # type: ignore[call-arg]
    except UnicodeDecodeError as error:
        problems = [_undecodable(env_file, error)]
    except ValidationError as error:
        problems += [_sentence(problem, model) for problem in error.errors(include_url=False)]
    if problems:
        _refuse(problems, env_file)
    return settings


def load_part(model: type[B], env_file: Path) -> B:
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


@cache
def get_settings() -> Settings:
    """Return the engine's settings. They are cached for the life of the process.

    Raises:
        WrongUse: see :func:`load_settings`.
    """
    return load_settings()


def _undecodable(env_file: Path, error: UnicodeDecodeError) -> str:
    return f"{env_file}: found bytes that are not UTF-8, at position {error.start}"


def _refuse(problems: list[str], env_file: Path) -> NoReturn:
    raise WrongUse(
        "the settings cannot be used:\n" + "\n".join(f"  - {problem}" for problem in problems),
        remedy=f"edit {env_file} or the environment; `.env.example` lists every setting",
    )


def _problems_of(
    env_file: Path, model: type[Settings], other_settings: Callable[[], Iterable[str]]
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
