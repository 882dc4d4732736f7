import re
from io import StringIO
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import SecretStr

from app.core.config import is_secret
from app.core.redis.address import parse
from app.db import address
from app.doctor.check import Finding, check, failed, ok
from app.doctor.checks.config.edits import line_of, take_default
from app.doctor.context import Context

LEAST = 16
"""Characters of a token that nobody guesses."""

_PLACEHOLDER = re.compile(
    r"(change[-_ ]?(me|it|this)|replace[-_ ]?(me|this)|place-?holder|your[-_ ].*|.*[-_ ]here"
    r"|example.*|default|secret|password|passw0rd|postgres|redis|admin|test|token|user|todo"
    r"|<.*>|\{.*\}|0?123456789?0?|letmein|qwerty|foobar)[-_0-9!]*",
    re.IGNORECASE,
)

_EXAMPLE_EMAILS = ("@example.org", "@example.com")

_NEW = "$(python3 -c 'import secrets; print(secrets.token_hex(32))')"


@check(
    "config.placeholders",
    "no secret is a placeholder",
    symptom="A password or the admin token is one from an example.",
    needs=("config.valid",),
    why="Everybody who has read the example knows the secret, and the admin token starts and"
    " cancels runs.",
    remedy="${EDITOR:-vi} .env",
)
async def secrets(context: Context) -> Finding:
    """Look for secrets that were copied from an example, and for tokens that can be guessed."""
    found: dict[str, str] = {}
    commands: list[str] = []
    for name in _secret_settings(context):
        value = _value(getattr(context.settings, name))
        problem = _problem(value, LEAST if name == "admin_token" else 0)
        if problem:
            found[name.upper()] = problem
            new = name == "admin_token"
            commands.append(_new_token(context) if new else take_default(context, name.upper()))
    passwords = {
        "DATABASE_URL": address.parse(_value(context.settings.database_url)).get("password", ""),
        "REDIS_URL": parse(_value(context.settings.redis_url)).password or "",
    }
    for name, password in passwords.items():
        problem = _problem(password, 0)
        if problem:
            found[name] = f"{problem} as password"
            commands.append(_new_password(context, name))
    for name, value in context.settings:
        if isinstance(value, str) and value.endswith(_EXAMPLE_EMAILS):
            found[name.upper()] = "an example"
            commands.append(take_default(context, name.upper()))
    if not found:
        return ok("no secret is a placeholder")
    return failed(
        f"placeholders or weak secrets: {', '.join(found)}",
        required=f"values of your own; a token of {LEAST} characters or more",
        found="; ".join(f"{name}: {problem}" for name, problem in found.items()),
        remedy="\n".join(commands),
    )


def _secret_settings(context: Context) -> list[str]:
    """Return the settings whose whole value is secret."""
    fields = type(context.settings).model_fields.items()
    return [name for name, field in fields if is_secret(field) and not name.endswith("_url")]


def _value(setting: SecretStr | None) -> str:
    return "" if setting is None else setting.get_secret_value()


def _problem(secret: str, least: int) -> str:
    """Say what is wrong with a secret, or nothing."""
    if not secret:
        return ""
    if _PLACEHOLDER.fullmatch(secret) or len(set(secret)) == 1:
        return "a placeholder"
    if len(secret) < least:
        return f"of {len(secret)} characters"
    return ""


def _new_token(context: Context) -> str:
    if any(name.upper() == "ADMIN_TOKEN" for name in context.environ):
        return f'export ADMIN_TOKEN="{_NEW}"'
    return f'sed -i -E "s/{line_of("ADMIN_TOKEN")}.*/ADMIN_TOKEN={_NEW}/I" .env'


def _new_password(context: Context, name: str) -> str:
    address = dotenv_values(stream=StringIO(context.env_text or "")).get(name) or ""
    user = urlsplit(address).username
    plain = f"DATABASE_URL={address}" in (context.env_text or "").splitlines()
    if name != "DATABASE_URL" or not plain or "+" in address.partition(":")[0] or not user:
        return f"${{EDITOR:-vi}} .env  # {name}: another password, here and in the server"
    at = r"s|^(DATABASE_URL=.*://[^:/@]*:)[^@]*@|\\1$new@|"
    return (
        f'new="{_NEW}"'
        f""" && psql "$(sed -n -E 's/^DATABASE_URL=//p' .env)" -qc "ALTER ROLE \\"{user}\\\""""
        f""" PASSWORD '$new'" && sed -i -E "{at}" .env"""
    )
