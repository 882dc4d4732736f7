"""The checks of the settings: their origin and their validity."""

import asyncio
import os
import re
import stat
from collections.abc import Mapping
from io import StringIO

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import SecretStr

from app.annotation.settings import Settings
from app.core.checks import Check, Finding, check, failed, ok, refused, warning
from app.core.errors import EDIT_SETTINGS, UserError
from app.core.process.checkout import SERVICES_ENV
from app.core.process.env_file import is_secret
from app.core.redis.address import parse
from app.db import address
from app.doctor.context import Context

PRIVATE_MODE = 0o600

KNOWN = {name.upper() for name in Settings.model_fields}

_PLAIN = re.compile(
    r"""\s*\w+\s*=\s*([^\s'"$#\\][^'"$#\\]*|'[^'\\]*'|"[^"$\\`]*"|)\s*""",
)
"""An assignment that python-dotenv, systemd and Compose read alike. They differ in how they treat
``export``, backslashes, ``$``, and a ``#`` after the value."""

_PLACEHOLDER = re.compile(
    r"(change[-_ ]?(me|it|this)|replace[-_ ]?(me|this)|place-?holder|your[-_ ].*|.*[-_ ]here"
    r"|example.*|default|secret|password|passw0rd|postgres|redis|admin|test|token|user|todo"
    r"|<.*>|\{.*\}|0?123456789?0?|letmein|qwerty|foobar)[-_0-9!]*",
    re.IGNORECASE,
)

MIN_TOKEN_CHARS = 16
"""Characters."""

_OF_NETWORK = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"),
)


async def _create(context: Context) -> str | None:
    example = context.root / ".env.example"
    if context.env_file.exists() or not example.is_file():
        return None
    context.env_file.touch(PRIVATE_MODE, exist_ok=False)
    context.env_file.write_bytes(example.read_bytes())
    return "created .env from .env.example, with mode 600"


@check(
    "config.env-file",
    "the settings are in .env, or in the environment",
    symptom="Commands look for PostgreSQL on localhost, although yours is elsewhere.",
    why="Without .env, PostgreSQL and Redis are expected on this machine, without passwords.",
    remedy="install -m 600 .env.example .env",
    fix=_create,
)
async def env_file(context: Context) -> Finding:
    """Determine the origin of the database's address."""
    if context.env_file.is_file():
        return ok(f"{context.env_file} exists")
    if "DATABASE_URL" in context.environ:
        return ok("there is no .env; the settings are in the environment")
    if SERVICES_ENV.is_file() and context.root in SERVICES_ENV.parents:
        return ok("there is no .env; the addresses are those that `make hybrid-up` wrote")
    return warning(
        "there is no .env",
        required=f"{context.env_file}, or DATABASE_URL in the environment",
        found="neither, so the defaults apply",
    )


async def _protect(context: Context) -> str | None:
    if not context.env_file.is_file():
        return None
    context.env_file.chmod(PRIVATE_MODE)
    return "set the mode of .env to 600"


@check(
    "config.mode",
    "only the owner can read .env",
    symptom="Other users of this machine can read the passwords in .env.",
    why=".env contains the password of the database and the admin token. Whoever reads them can"
    " change everything.",
    remedy="chmod 600 .env",
    fix=_protect,
)
async def mode(context: Context) -> Finding:
    """Check the permissions of ``.env``."""
    if not context.env_file.is_file():
        return ok("there is no .env")
    found = stat.S_IMODE(context.env_file.stat().st_mode)
    if found & 0o077:
        return failed(
            f"other users can {'read' if found & 0o044 else 'change'} .env",
            required="mode 600",
            found=f"mode {found:03o}",
        )
    return ok(f"only the owner can read .env (mode {found:03o})")


@check(
    "config.valid",
    "all settings can be used",
    symptom="The worker or the API does not start: `the settings cannot be used`.",
    why="The API and the workers do not start if a setting has a value that is not allowed, or a"
    " misspelt name.",
    remedy=EDIT_SETTINGS,
)
async def valid(context: Context) -> Finding:
    """Load the settings in the same way as the API and the workers."""
    refusal = context.refusal
    if refusal is None:
        return ok("all settings can be used")
    first, *problems = refusal.found.splitlines()
    found = "\n".join(line.removeprefix("  - ") for line in problems) or first
    held = [
        name for name in context.environ if re.search(rf"^{name.upper()}: ", found, re.MULTILINE)
    ]
    return failed(
        first.rstrip(":"),
        required=refusal.allowed or "values as .env.example describes them",
        found=found,
        remedy=f"unset {' '.join(held)}" if held else refused(refusal).remedy,
    )


@check(
    "config.shadowed",
    "no variable of the shell overrides .env",
    symptom="A change in .env has no effect in your shell.",
    why="Environment variables take precedence over .env. systemd's services do not see the"
    " variables of your shell, so they have other settings than your commands.",
    needs=("config.env-file",),
    remedy="unset NAME",
)
async def shadowed(context: Context) -> Finding:
    """Compare the environment with ``.env``."""
    values = _upper(dotenv_values(stream=StringIO(context.env_text or "")))
    found = sorted(
        name
        for name, value in context.environ.items()
        if name.upper() in KNOWN and value and (values.get(name.upper()) or value) != value
    )
    if found:
        return warning(
            f"the environment overrides .env: {', '.join(found)}",
            required="the same value in both, or a value in one of them only",
            found=f"other values in this shell for {', '.join(found)}",
            remedy=f"unset {' '.join(found)}",
        )
    return ok("the environment and .env agree")


def _upper(values: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name.upper(): value for name, value in values.items()}


@check(
    "config.read-alike",
    "systemd and Compose read .env as the commands do",
    symptom="A password in .env works in your shell, but not in a service.",
    why="The commands, systemd and Compose interpret quotes, `$`, `#`, backslashes and `export` in"
    " .env differently. A service may read another password from a value with these characters.",
    needs=("config.env-file",),
    remedy=EDIT_SETTINGS,
)
async def read_alike(context: Context) -> Finding:
    """Find assignments that the commands, systemd and Compose would read differently."""
    found = [
        binding.key
        for binding in parse_stream(StringIO(context.env_text or ""))
        if binding.key and binding.value and not _PLAIN.fullmatch(binding.original.string)
    ]
    if not found:
        return ok("all of them read the same in .env")
    return warning(
        f"systemd or Compose may read other values: {', '.join(found)}",
        required="NAME=value without quotes, `$`, `#` and backslashes, or NAME='value'; comments on"
        " lines of their own; no `export`. In an address, write %24 for `$` and %23 for `#`",
        found=f"other forms for {', '.join(found)}",
    )


@check(
    "config.placeholders",
    "no secret is a placeholder",
    symptom="A password or a token is copied from an example.",
    why="Everybody who has read the example knows the secret. With the admin token they can start"
    " and cancel runs, and with the read token they can read the data.",
    needs=("config.valid",),
    remedy=EDIT_SETTINGS,
)
async def placeholders(context: Context) -> Finding:
    """Find secrets copied from an example, and tokens that are too short."""
    settings = context.settings
    secrets = {
        name.upper(): _value(getattr(settings, name))
        for name, field in Settings.model_fields.items()
        if is_secret(field) and not name.endswith("_url")
    }
    secrets |= {
        "DATABASE_URL": address.parse(_value(settings.database_url)).get("password", ""),
        "REDIS_URL": parse(_value(settings.redis_url)).password or "",
    }
    found = [
        f"{name}: a placeholder"
        for name, secret in secrets.items()
        if secret and (_PLACEHOLDER.fullmatch(secret) or len(set(secret)) == 1)
    ]
    tokens = ((name, secrets[name]) for name in ("ADMIN_TOKEN", "READ_TOKEN"))
    short = [
        f"{name}: only {len(value)} characters"
        for name, value in tokens
        if 0 < len(value) < MIN_TOKEN_CHARS
    ]
    found = found or short
    if not found:
        return ok("no secret is a placeholder")
    return failed(
        "secrets can be guessed",
        required=f"secrets of your own, with at least {MIN_TOKEN_CHARS} characters for a token:"
        " python3 -c 'import secrets; print(secrets.token_hex(32))'",
        found="; ".join(found),
    )


def _value(setting: SecretStr | None) -> str:
    return "" if setting is None else setting.get_secret_value()


@check(
    "config.network",
    "the variables for proxies and certificates can be used",
    symptom="The worker does not start: `the proxy in HTTPS_PROXY cannot be used`, or"
    " `SSL_CERT_FILE cannot be used`.",
    why="A worker does not start if it cannot use the proxy or the certificates that these"
    " variables name.",
    remedy="unset HTTP_PROXY HTTPS_PROXY ALL_PROXY SSL_CERT_FILE SSL_CERT_DIR",
)
async def network(context: Context) -> Finding:
    """Prepare the connections to the sources, without sending a request."""
    if not any(context.environ.get(name) for each in _OF_NETWORK for name in (each, each.lower())):
        return ok("none is set")
    try:
        await asyncio.to_thread(_prepare)
    except UserError as error:
        return failed(error.found, required=error.allowed, found=error.found)
    return ok("they can be used")


def _prepare() -> None:
    from httpx import Limits

    from app.core.process.network import outbound_transport

    outbound_transport(Limits())


@check(
    "config.cache-dir",
    "bulk files can be stored in CACHE_DIR",
    symptom="The worker does not start: `CACHE_DIR cannot be used`.",
    why="Workers and the import of genes need a directory for bulk files. Set CACHE_DIR to one in"
    " which they can write.",
    needs=("config.valid",),
    remedy=EDIT_SETTINGS,
)
async def cache_dir(context: Context) -> Finding:
    """Check the directory, or the one in which it would be created."""
    folder = context.settings.cache_dir
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return ok(f"{folder} can be {'written to' if there == folder else 'created'}")
    what = "is not a directory" if there.is_file() else "is not writable for this user"
    return failed(
        f"CACHE_DIR cannot be used: {folder}",
        required="a directory in which this user may write, or that this user may create",
        found=f"{there} {what}",
    )


CHECKS: tuple[Check, ...] = (
    env_file,
    mode,
    valid,
    shadowed,
    read_alike,
    placeholders,
    network,
    cache_dir,
)
