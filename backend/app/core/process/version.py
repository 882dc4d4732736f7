"""The version of the code that runs."""

import hashlib
from functools import cache
from pathlib import Path

from app import __version__

_CODE = Path(__file__).resolve().parents[2]


@cache
def version() -> str:
    """Return the version with a digest of the code: ``0.1.0+1a2b3c4d``.

    The digest tells checkouts of the same version apart, and a worker that runs outdated code.
    """
    digest = hashlib.sha256()
    for file in sorted(_CODE.rglob("*.py")):
        digest.update(f"{file.relative_to(_CODE)}\0".encode())
        digest.update(file.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:8]}"
