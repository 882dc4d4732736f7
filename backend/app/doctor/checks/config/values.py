import re
from io import StringIO

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from app.annotation.settings import Settings
from app.doctor.check import Finding, check, failed, ok, warning
from app.doctor.checks.config.edits import line_of, take_default
from app.doctor.checks.config.env_lines import unreadable
from app.doctor.context import Context

KNOWN = {name.upper() for name in Settings.model_fields}

# what load_settings says, problem by problem
_NEAR = re.compile(r"^  - (\S+): unknown setting .*, did you mean (\w+)\?$", re.MULTILINE)
_WRONG = re.compile(r"^  - ([A-Z][A-Z0-9_]*): (found .*), allowed: (.*)$", re.MULTILINE)
_NO_UTF8 = re.compile(r"^  - .*: (found bytes that are no UTF-8.*)$", re.MULTILINE)


@check(
    "config.keys",
    "every key in .env is a setting",
    symptom="A setting has no effect, or commands stop with `unknown setting in .env`.",
    needs=("config.env-file",),
    why="A misspelt setting has no effect: what it was meant to change keeps its default.",
    remedy="${EDITOR:-vi} .env",
)
async def keys(context: Context) -> Finding:
    """Look for near misses, which are refused, and for keys of others, which are not."""
    text = str(context.refusal or "")
    near = _NEAR.findall(text)
    if near:
        names = ", ".join(name for name, _ in near)
        return failed(
            f"unknown settings in .env: {names}",
            required="; ".join(f"did you mean {meant}?" for _, meant in near),
            found=names,
            remedy="\n".join(
                f"sed -i -E 's/{line_of(re.escape(name))}/{meant}=/' .env" for name, meant in near
            ),
        )
    found = {each.key for each in parse_stream(StringIO(context.env_text or "")) if each.key}
    others = {name for name in found if name.upper() not in KNOWN} - _of_compose(context)
    if others:
        names = ", ".join(sorted(others))
        return warning(
            f"keys in .env that this project does not know: {names}",
            required="the settings of .env.example, and what compose.yaml reads",
            found=names,
            remedy="\n".join(
                f"sed -i -E '/{line_of(re.escape(name))}/d' .env" for name in sorted(others)
            ),
        )
    return ok(f"{len(found)} settings in .env, all known")


def _of_compose(context: Context) -> set[str]:
    file = context.root / "compose.yaml"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return set(re.findall(r"\$\{(\w+)", text)) | set(re.findall(r"\bCOMPOSE_\w+", text))


@check(
    "config.valid",
    "every setting has a value that can be used",
    symptom="The worker or the API does not start: `the settings cannot be used`.",
    why="Neither the API nor a worker starts with a value that it cannot use.",
    remedy="${EDITOR:-vi} .env",
)
async def valid(context: Context) -> Finding:
    """Read the settings as the API and the workers do."""
    refusal = context.refusal
    if refusal is None:
        return ok("all settings can be used")
    text = refusal.found
    wrong = _WRONG.findall(text)
    commands = [take_default(context, name) for name, _, _ in wrong]
    commands += [f"sed -i '{line}s/^/# /' .env" for line in unreadable(context.env_text or "")]
    if _NO_UTF8.search(text):
        commands.append('text=$(iconv -f latin1 -t utf-8 .env) && printf "%s\\n" "$text" > .env')
    if _NEAR.search(text):
        commands.append("just doctor --only config.keys")
    first, *more = text.splitlines()
    return failed(
        first.rstrip(":"),
        required="\n".join(f"{name}: {allowed}" for name, _, allowed in wrong) or refusal.allowed,
        found="\n".join(line.removeprefix("  - ") for line in more) or first,
        remedy="\n".join(commands) or refusal.remedy,
    )


@check(
    "config.shadowed",
    "no variable of the shell overrides .env",
    symptom="A change in .env has no effect in your shell.",
    needs=("config.env-file",),
    why="The environment wins: what you change in .env has no effect in this shell, while a "
    "service started by systemd goes by .env.",
    remedy="unset NAME",
)
async def shadowed(context: Context) -> Finding:
    """Compare the environment with ``.env``."""
    written = dotenv_values(stream=StringIO(context.env_text or ""))
    values = {name.upper(): value for name, value in written.items() if value}
    found = sorted(
        name
        for name, value in context.environ.items()
        if name.upper() in KNOWN and value and values.get(name.upper(), value) != value
    )
    if found:
        return warning(
            f"the environment overrides .env: {', '.join(found)}",
            required="the same value in both, or in one of them only",
            found=f"another value in this shell for {', '.join(found)}",
            remedy=f"unset {' '.join(found)}",
        )
    return ok("the environment and .env do not contradict each other")
