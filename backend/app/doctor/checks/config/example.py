import re

from app.doctor.check import Finding, check, failed, ok, skipped
from app.doctor.checks.config.values import KNOWN
from app.doctor.context import Context

_NAME = re.compile(r"^(?:# )?([A-Z][A-Z0-9_]*)=", re.MULTILINE)


@check(
    "config.example",
    ".env.example names every setting",
    symptom="A setting that you read about is not in .env.example.",
    why="Who copies an old .env.example sets what is not read any more, or does not learn of what"
    " is new.",
    remedy="make reference",
)
async def example(context: Context) -> Finding:
    """Compare ``.env.example`` with the settings."""
    file = context.root / ".env.example"
    if not file.is_file() and not (context.root / ".git").exists():
        return skipped("there is no .env.example in this installation")
    named = set(_NAME.findall(file.read_text(encoding="utf-8"))) if file.is_file() else set()
    if named == KNOWN:
        return ok(f".env.example names all {len(KNOWN)} settings")
    missing, gone = sorted(KNOWN - named), sorted(named - KNOWN)
    said = [f"without {', '.join(missing)}"] if missing else []
    said += [f"with {', '.join(gone)}, which is no setting"] if gone else []
    return failed(
        ".env.example is not in step with the settings" if named else "there is no .env.example",
        required=f"the {len(KNOWN)} settings of this version",
        found="; ".join(said),
    )
