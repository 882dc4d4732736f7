import stat

from app.core.config import SERVICES_ENV
from app.doctor.check import Finding, check, failed, ok, warning
from app.doctor.context import Context

PRIVATE = 0o600


async def _create(context: Context) -> str | None:
    if context.env_file.exists():
        return None
    example = context.root / ".env.example"
    if not example.is_file():
        return None
    context.env_file.touch(PRIVATE, exist_ok=False)
    context.env_file.write_bytes(example.read_bytes())
    return "created .env from .env.example, mode 600"


@check(
    "config.env-file",
    "the settings are in .env, or in the environment",
    symptom="Commands look for PostgreSQL at localhost, wherever yours is.",
    why="Without .env everything is taken to be on this machine, without passwords.",
    remedy="install -m 600 .env.example .env",
    fix=_create,
)
async def env_file(context: Context) -> Finding:
    """Look for a place that says where the database is."""
    if context.env_file.is_file():
        return ok(f"{context.env_file} is there")
    if "DATABASE_URL" in context.environ:
        return ok("there is no .env; the environment has the settings")
    if SERVICES_ENV.is_file() and context.root in SERVICES_ENV.parents:
        return ok("there is no .env; the addresses are those that `make hybrid-up` wrote")
    return warning(
        "there is no .env",
        required=f"{context.env_file}, or DATABASE_URL in the environment",
        found="neither; the defaults hold",
    )


async def _protect(context: Context) -> str | None:
    if not context.env_file.is_file():
        return None
    context.env_file.chmod(PRIVATE)
    return "set the mode of .env to 600"


@check(
    "config.mode",
    "only its owner can read .env",
    symptom="Others on this machine can read the passwords in .env.",
    why=".env holds the database's password and the admin token: who reads it can do everything.",
    remedy="chmod 600 .env",
    fix=_protect,
)
async def mode(context: Context) -> Finding:
    """Look at the permissions of ``.env``."""
    if not context.env_file.is_file():
        return ok("there is no .env to protect")
    found = stat.S_IMODE(context.env_file.stat().st_mode)
    if found & 0o077:
        return failed(
            "others can read .env" if found & 0o044 else "others can change .env",
            required="mode 600",
            found=f"mode {found:03o}",
        )
    return ok(f"only its owner can read .env (mode {found:03o})")
