"""Reads the collector of traces from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from pydantic import SecretStr


def is_installed() -> bool:
    """Return whether the packages that send traces are installed."""
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


@dataclass(frozen=True, slots=True)
class Target:
    """The collector of traces.

    Attributes:
        address: the endpoint for traces.
        headers: headers of each request.
        certificate: a file with the certificate authorities to trust; None means the usual ones.
        service: the name of this installation.
    """

    address: str
    headers: Mapping[str, str]
    certificate: Path | None
    service: str


class TraceSettings(Protocol):
    """The settings of traces, which `app.core.config` documents."""

    @property
    def otel_exporter_otlp_endpoint(self) -> str | None: ...  # noqa: D102
    @property
    def otel_exporter_otlp_headers(self) -> SecretStr | None: ...  # noqa: D102
    @property
    def otel_exporter_otlp_certificate(self) -> Path | None: ...  # noqa: D102
    @property
    def otel_service_name(self) -> str: ...  # noqa: D102


def target_of(settings: TraceSettings) -> Target | None:
    """Return the collector of traces; None if traces are off."""
    endpoint = settings.otel_exporter_otlp_endpoint
    if endpoint is None:
        return None
    secret = settings.otel_exporter_otlp_headers
    return Target(
        # OTLP/HTTP appends the path of the signal (OpenTelemetry Protocol Exporter, "Endpoint URLs
        # for OTLP/HTTP")
        f"{endpoint.rstrip('/')}/v1/traces",
        {} if secret is None else read_headers(secret.get_secret_value()),
        settings.otel_exporter_otlp_certificate,
        settings.otel_service_name,
    )


def read_headers(value: str) -> dict[str, str]:
    """Parse headers of the form `name=value,name=value` with percent-encoded values.

    Raises:
        ValueError: a part has another form. The message quotes no value.
    """
    headers = {}
    for part in value.split(","):
        name, mark, content = part.strip().partition("=")
        if not part.strip():
            continue
        name, content = unquote(name).strip(), unquote(content).strip()
        if not (mark and content and content.isascii() and content.isprintable()) or not (
            name.isascii() and name.replace("-", "").replace("_", "").isalnum()
        ):
            message = "name=value, with a comma between two, and %2C for a comma in a value"
            raise ValueError(message)
        headers[name] = content
    return headers
