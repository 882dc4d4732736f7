import difflib
import json
import logging
import os
import re
from collections.abc import Iterable
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv.parser import Binding, parse_stream
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import DotEnvSettingsSource

from app.core.errors import WrongUse
from app.core.process.redaction import redact
from app.core.redis import address as redis_url
from app.db import address

logger = logging.getLogger(__name__)

# it warns of a line that it cannot read, without the file's name; we refuse the file
logging.getLogger("dotenv.main").setLevel(logging.ERROR)

ROOT = Path(__file__).resolve().parents[3]
"""The checkout's top, where `.env` and `.run/` are."""

SERVICES_ENV = ROOT / ".run" / "services.env"
"""Where `make hybrid-up` leaves the addresses of the servers it started."""

# passwords of compose.yaml's own services, in the same .env
_OF_COMPOSE = re.compile(r"COMPOSE_|POSTGRES_PASSWORD$|REDIS_(API|WORKER)_PASSWORD$")

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,60}")
_FIRST_WORD = re.compile(r"\s*(?:export\s+)?(\w+)")

HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+")]
RequestRate = Annotated[float, Field(gt=0, le=100_000)]


class Settings(BaseSettings):
    """Everything that can be set, from the environment or the `.env` at the top of the checkout.

    The environment wins over `.env`, and `.env` over what `make hybrid-up` wrote. The text under
    a field is its documentation; the first field of a section names it.
    """

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        use_attribute_docstrings=True,
        validate_default=True,
        frozen=True,
        # pydantic would show what was found
        hide_input_in_errors=True,
    )

    database_url: SecretStr = Field(
        SecretStr("postgresql://localhost:5432/kidney_genetics"),
        json_schema_extra={"section": "Where things are"},
    )
    """The PostgreSQL database that holds the genes, the annotations and the runs:
    `postgresql://user:password@host:5432/name`, or what else psql accepts. `@`, `/` and `%` in the
    user or the password are percent-encoded. `?options=-csearch_path%3DKG` keeps the tables in the
    schema KG. Of several hosts (`host1,host2`), the one is used that can be written to."""

    redis_url: SecretStr = SecretStr("redis://localhost:6379/0")
    """The Redis that carries the wake-ups to arq workers: `redis://`, `rediss://` (TLS, with
    `?ssl_ca_certs=FILE` for an authority of your own), `unix://`, or
    `redis+sentinel://host1:26379,host2:26379/service/0`. In a password, `/` is written `%2F`, `?`
    `%3F`, `#` `%23` and `%` `%25`. Not read where the API executes runs itself."""

    cache_dir: Path = ROOT / ".run" / "cache"
    """Where bulk files are kept between attempts; a relative path begins at the checkout,
    `~` is the home folder, and `$` is refused.
    ClinVar's needs about 500 MB."""

    use_arq_worker: bool = Field(
        default=False, json_schema_extra={"section": "How runs are executed"}
    )
    """`True`: arq workers execute the runs (`make worker`). `False`: the API's own process."""

    arq_queue_name: str = Field("kidney_genetics_tasks", min_length=1, max_length=200)
    """The Redis key of the queue. The API and the workers must use the same."""

    arq_max_jobs: int = Field(3, ge=1, le=100)
    """How many runs one worker executes at a time."""

    arq_job_timeout: int = Field(21_600, ge=1, le=7 * 86_400)
    """Seconds that an attempt may take when its job has no limit of its own."""

    run_max_failures: int = Field(5, ge=1, le=100)
    """A run fails for good after this many failed attempts in a row that made no progress."""

    run_backoff_base: float = Field(30.0, gt=0, le=86_400)
    """Seconds before the second attempt; each further one waits twice as long, with jitter."""

    run_backoff_cap: float = Field(1_800.0, gt=0, le=86_400)
    """The longest wait between two attempts, in seconds."""

    admin_token: SecretStr | None = Field(
        None, min_length=8, json_schema_extra={"section": "The API"}
    )
    """The bearer token of `/api/admin`, 8 characters or more. Without one, these addresses answer
    503."""

    api_max_connections: int = Field(1_000, ge=8, le=10_000)
    """How many connections `just api` keeps; fewer where the process may open fewer files. When
    there are too many, the one is closed whose client has said nothing for the longest time."""

    api_client_timeout: float = Field(10.0, gt=0, le=600)
    """Seconds that a client may take to send a whole request, and to read some of its answer."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe lines that are logged."""

    ncbi_api_key: SecretStr | None = Field(
        None, json_schema_extra={"section": "Who we are to NCBI"}
    )
    """Raises NCBI's limit from 3 to 10 requests a second."""

    ncbi_email: str | None = Field(None, pattern=r"^[^@\s]+@[^@\s]+$")
    """Whom NCBI may write to before it blocks an address."""

    ncbi_eutils_url: HttpUrl = Field(
        "https://eutils.ncbi.nlm.nih.gov/entrez/eutils",
        json_schema_extra={
            "section": "Upstream services: an address each, so that a mirror or the sandbox can"
            " stand in"
        },
    )
    """NCBI's E-utilities (ClinVar by API)."""

    clinvar_files_url: HttpUrl = "https://ftp.ncbi.nlm.nih.gov/pub/clinvar"
    """ClinVar's bulk files."""

    ensembl_rest_url: HttpUrl = "https://rest.ensembl.org"
    """Ensembl's REST service."""

    hgnc_rest_url: HttpUrl = "https://rest.genenames.org"
    """HGNC's REST service."""

    hgnc_files_url: HttpUrl = "https://storage.googleapis.com/public-download-files/hgnc"
    """HGNC's bulk files."""

    ncbi_rate: RequestRate | None = None
    """Requests a second that `NCBI_EUTILS_URL` allows, when it is not NCBI itself."""

    ensembl_rate: RequestRate | None = None
    """Requests a second that `ENSEMBL_REST_URL` allows, when it is not Ensembl itself."""

    hgnc_rate: RequestRate | None = None
    """Requests a second that `HGNC_REST_URL` allows, when it is not HGNC itself."""

    upstream_backoff: float = Field(0.5, gt=0, le=60)
    """Seconds before a failed request is sent again; doubled for each further try, with jitter."""

    upstream_longest_wait: float = Field(14_400.0, gt=0, le=86_400)
    """The longest that an upstream service may put a run back for, in seconds, whatever its
    `Retry-After` says. The service is then asked again."""

    upstream_timeout: float = Field(30.0, gt=0, le=3_600)
    """Seconds to wait for an upstream service to answer."""

    clinvar_bulk_threshold: int = Field(500, ge=0)
    """With more genes than this to refresh, ClinVar is read from its bulk file and not by API."""

    hgnc_bulk_threshold: int = Field(50, ge=0)
    """With more genes than this to refresh, HGNC is read from its bulk file and not by API."""

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: SecretStr) -> SecretStr:
        address.parse(value.get_secret_value())
        return value

    @field_validator("cache_dir")
    @classmethod
    def _from_the_top(cls, value: Path) -> Path:
        if "$" in str(value):
            message = "a path without $, which only a shell replaces; ~ is the home folder"
            raise ValueError(message)
        try:
            return ROOT / value.expanduser()
        except RuntimeError:
            message = "a path, or ~ or ~name for the home folder of a user that exists"
            raise ValueError(message) from None

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr) -> SecretStr:
        known = redis_url.parse(value.get_secret_value())
        for name in redis_url.FILES:
            if name in known.options and not os.access(known.options[name], os.R_OK):
                message = f"{name} with a file that can be read"
                raise ValueError(message)
        return value

    @field_validator(
        "ncbi_eutils_url",
        "clinvar_files_url",
        "ensembl_rest_url",
        "hgnc_rest_url",
        "hgnc_files_url",
    )
    @classmethod
    def _without_slash(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            usable = False
        # a path is put behind it; and nobody sees a blank at its end
        if not usable or re.search(r"[\s?#]", value):
            message = "an address: https://host/path, or https://host:port/path"
            raise ValueError(message)
        return value.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put what `make hybrid-up` wrote below everything else; without `.env`, leave it out."""
        del file_secret_settings
        sources = [init_settings, env_settings, dotenv_settings]
        if isinstance(dotenv_settings, DotEnvSettingsSource) and dotenv_settings.env_file:
            sources.append(DotEnvSettingsSource(settings_cls, env_file=SERVICES_ENV))
        return tuple(sources)


def load_settings(env_file: Path = ROOT / ".env") -> Settings:
    """Read the settings and check all of them.

    Raises:
        WrongUse: with every problem at once: the variable, what was found, what is allowed.
    """
    try:
        problems = _problems_of(env_file)
        settings = Settings(_env_file=env_file)  # type: ignore[call-arg]
    except UnicodeDecodeError as error:
        problems = [f"{env_file}: found bytes that are no UTF-8, at position {error.start}"]
    except ValidationError as error:
        problems += [_in_words(problem) for problem in error.errors(include_url=False)]
    if problems:
        raise WrongUse(
            "the settings cannot be used:\n" + "\n".join(f"  - {p}" for p in problems),
            remedy=f"edit {env_file} or the environment; `.env.example` lists every setting",
        )
    return settings


@cache
def get_settings() -> Settings:
    """Return the settings of this process, read once.

    Raises:
        WrongUse: see :func:`load_settings`.
    """
    return load_settings()


def _problems_of(env_file: Path) -> list[str]:
    """Find what is wrong with the file itself.

    Near misses of a known key are refused; other people's keys in the same file are not ours.
    """
    if not env_file.is_file():
        return []
    known = [name.upper() for name in Settings.model_fields]
    problems = []
    for binding in parse_stream(StringIO(env_file.read_text(encoding="utf-8"))):
        if binding.error:
            where = f"{env_file}, line {binding.original.line}"
            problems.append(f"{where}: cannot be read{_near(binding, known)}; allowed: NAME=value")
        elif binding.key is not None and binding.key.upper() not in known:
            near = difflib.get_close_matches(binding.key.upper(), known, n=1, cutoff=0.8)
            if near:
                problems.append(
                    f"{binding.key}: unknown setting in {env_file}, did you mean {near[0]}?"
                )
            elif binding.key not in os.environ and not _OF_COMPOSE.match(binding.key):
                # a line of a secret that goes over several may look like a name and a value
                name = binding.key if _NAME.fullmatch(binding.key) else "a name that is not shown"
                logger.warning("%s: a setting this project does not know, in %s", name, env_file)
    return problems


def _near(binding: Binding, known: Iterable[str]) -> str:
    """Return which setting a line that cannot be read is about; anything else may be a secret."""
    name = _FIRST_WORD.match(binding.original.string)
    return f", near {name[1]!r}" if name and name[1].upper() in known else ""


_SECRET = {
    name.upper()
    for name, field in Settings.model_fields.items()
    if "Secret" in str(field.annotation)
}

_ALLOWED = {
    "bool_parsing": "True or False",
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "too_short": "8 characters or more",
    "string_pattern_mismatch": "an address",
}
"""In an operator's words, what pydantic says in its own."""


def _in_words(problem: Any) -> str:
    name = str(problem["loc"][0]).upper() if problem["loc"] else "settings"
    found = (
        "a value that is not shown"
        if name in _SECRET
        else redact(json.dumps(problem["input"], default=str))
    )
    if problem["type"] == "value_error":
        allowed = str(problem["ctx"]["error"])
    else:
        said = problem["msg"].removeprefix("Input should be ")
        allowed = _ALLOWED.get(problem["type"], said)
    if problem["type"] == "string_pattern_mismatch":
        allowed += ": you@example.org" if name == "NCBI_EMAIL" else ": https://host/path"
    return f"{name}: found {found}, allowed: {allowed}"
