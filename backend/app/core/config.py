import os
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import DotEnvSettingsSource

from app.core.process.checkout import ROOT, SERVICES_ENV
from app.core.process.tracing.target import read_headers
from app.core.redis import address as redis_url
from app.core.text.field_docs import describe_fields
from app.db import address


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
    """The timeout in seconds of an attempt of a job without a timeout of its own, and of each
    scheduled snapshot, backup and export."""

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
