from pathlib import Path

import psutil


def left_over(folder: Path) -> list[str]:
    """Processes that work in the folder, or were told of it."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = [*(process.info["cmdline"] or []), process.info["cwd"] or ""]
        if any(str(folder) in word for word in words):
            found.append(" ".join(words))
    return found
