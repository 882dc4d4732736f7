import os
import re
from pathlib import Path

from app.annotation.upstream.host import Host, digest
from app.core.errors import UserError


def usable_cache_dir(folder: Path) -> Path:
    """Create the folder of bulk files if it does not exist, and return it.

    Raises:
        UserError: the folder cannot be created or is not writable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        why = "" if os.access(folder, os.W_OK | os.X_OK) else "it cannot be written to"
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        raise UserError(
            f"CACHE_DIR cannot be used: {folder}: {why}",
            allowed="a folder that the user of this process may write to, or may make",
            remedy="set CACHE_DIR in .env, or `unset CACHE_DIR`",
        )
    return folder


def folder_of(cache_dir: Path, host: Host, base_url: str) -> Path:
    """Return the folder for the files downloaded from a host at this address."""
    return cache_dir / f"{host.name}-{digest(base_url.rstrip('/'))}"


def own_folders(cache_dir: Path, name: re.Pattern[str]) -> list[Path]:
    """Return the folders whose names match and that the user of this process owns."""
    if not cache_dir.is_dir():
        return []
    with os.scandir(cache_dir) as entries:
        return [
            Path(entry.path)
            for entry in entries
            if name.fullmatch(entry.name)
            and entry.is_dir(follow_symlinks=False)
            and entry.stat(follow_symlinks=False).st_uid == os.getuid()
        ]
