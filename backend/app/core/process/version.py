"""The version of the running code."""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Literal

from app import __version__

_CODE = Path(__file__).resolve().parents[2]

_NUMBER = re.compile(r"\d+(?:\.\d+)*")

Comparison = Literal["same", "older", "newer", "other"]


@cache
def version() -> str:
    """Return the version with a digest of the code: ``0.1.0+1a2b3c4d``.

    The digest distinguishes checkouts of the same version, and reveals workers with outdated code.
    """
    digest = hashlib.sha256()
    for file in sorted(_CODE.rglob("*.py")):
        digest.update(f"{file.relative_to(_CODE)}\0".encode())
        digest.update(file.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:8]}"


def compare(other: str) -> Comparison:
    """Compare the code of another process with the code of this one.

    Digests have no order. So of two checkouts with the same version number, neither is older.

    Args:
        other: the result of :func:`version` in the other process.
    """
    if other == version():
        return "same"
    theirs, ours = _number(other), _number(version())
    if theirs == ours or not theirs:
        return "other"
    return "older" if theirs < ours else "newer"


def _number(of: str) -> tuple[int, ...]:
    found = _NUMBER.match(of)
    return tuple(map(int, found[0].split("."))) if found else ()
