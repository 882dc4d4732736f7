from pathlib import Path


def table(page: Path) -> str:
    """Return the table of a benchmark's page, with the note below it, if any.

    Args:
        page: the path of the page below ``docs/reference/measured``.
    """
    lines = page.read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("|")]
    notes = [line for line in lines if line.startswith(r"\*")]
    return "\n".join(rows) + "".join(f"\n\n{note}" for note in notes)
