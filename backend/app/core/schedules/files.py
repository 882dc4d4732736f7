"""The files that schedules write: their names, their folder, and the removal of old ones.

A file is named after the schedule and the tick, so that a repeated tick writes the same file. The
name contains capital letters, which the name of a schedule cannot have. So no schedule mistakes
files of another schedule, or files that a person wrote, for its own. Files with an extension that
the action never writes, such as an encrypted copy of a backup, do not count either.
"""

import os
import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import UserError, WrongUse
from app.core.schedules.keeping import kept

_TIME = r"\d{8}T\d{6}Z"
_RANDOM = r"[a-z0-9_]{8}"
"""The random part that `tempfile` and the exports put into the name of a partial file."""

_FORMAT = "%Y%m%dT%H%M%SZ"

MAX_KEEP = 1_000


class FolderOptions(BaseModel):
    """The folder of a schedule's files, and how many of them are kept."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    folder: str = Field(min_length=1, max_length=1_000)
    """The absolute path of the folder, outside of `CACHE_DIR`. The folder must exist and be
    writable on each host with workers."""

    keep_daily: int | None = Field(None, ge=0, le=MAX_KEEP)
    """The number of days with files. The newest file of each of them is kept."""

    keep_weekly: int | None = Field(None, ge=0, le=MAX_KEEP)
    """The number of weeks with files. The newest file of each of them is kept. Without `keep_daily`
    and `keep_weekly`, all files are kept."""


def name_of(schedule: str, tick: datetime, ending: str) -> str:
    """Return the name of the file that a tick of a schedule writes."""
    return f"{schedule}.{tick.astimezone(UTC):{_FORMAT}}.{ending}"


def usable_folder(name: str, outside: Sequence[Path]) -> Path:
    """Return the folder of a schedule.

    Args:
        name: the absolute path of the folder.
        outside: folders whose content other parts of the program may remove. They must not contain
            the folder.

    Raises:
        WrongUse: the path is not absolute, the folder does not exist on this host or is in one of
            the other folders, or this process may not write to it.
    """
    folder = Path(name)
    if not folder.is_absolute():
        raise WrongUse(f"the folder {name[:200]!r} is not absolute", allowed="a path from / on")
    real = folder.resolve()
    for other in outside:
        if real.is_relative_to(other.resolve()):
            raise WrongUse(
                f"the folder {name} is in {other}, whose files may be removed",
                allowed="a folder outside of CACHE_DIR",
            )
    if not real.is_dir():
        raise WrongUse(
            f"there is no folder {name} on this host",
            allowed="a folder that exists on each host with workers",
            remedy=f"make it, for the user of the workers: mkdir -p {name}",
        )
    if not os.access(real, os.W_OK | os.X_OK):
        raise WrongUse(
            f"this process may not write to {name}",
            allowed="a folder that the user of the workers may write to",
            remedy=f"chown it; under systemd, add ReadWritePaths={name} to the unit",
        )
    return folder


def begin(file: Path, schedule: str) -> bool:
    """Remove partial files of a schedule, and return whether the file of a tick exists.

    A file gets its name when it is complete. If it exists, a worker wrote it and died before it
    could record the end of the tick, so it must not be written again. The same happens after the
    restore of a backup: in the backup, its own tick is not recorded as done yet.

    Args:
        file: the file of the tick.
        schedule: the name of the schedule.

    Raises:
        UserError: there is a symbolic link in the place of a file of the tick.
        OSError: a partial file cannot be removed.
    """
    remove_partial_files(file.parent, schedule)
    if file.is_file():
        return True
    tick = file.name.removeprefix(f"{schedule}.").partition(".")[0]
    for path in file.parent.iterdir():
        # an export would write to the target of the link
        if path.name.startswith(f"{schedule}.{tick}.") and path.is_symlink():
            raise UserError(
                f"{path} is a symbolic link, but a schedule writes to its own folder only",
                remedy=f"remove the link: rm {path}",
            )
    return False


def remove_partial_files(folder: Path, schedule: str) -> None:
    """Remove partial files of a schedule, which a worker leaves if it dies while it writes.

    Raises:
        OSError: a file cannot be removed.
    """
    name = re.compile(rf"\.?{re.escape(schedule)}\.{_TIME}\.[a-z.]+\.{_RANDOM}\.partial")
    for path in folder.iterdir():
        if not name.fullmatch(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def remove_surplus(
    folder: Path,
    schedule: str,
    tick: datetime,
    options: FolderOptions,
    *,
    endings: Collection[str],
    zone: str,
) -> list[str]:
    """Remove the files of a schedule that need not be kept, and return their names.

    Args:
        folder: the folder of the files.
        schedule: the name of the schedule.
        tick: the tick whose file has just been written.
        options: the number of files to keep; by default all.
        endings: the extensions of the files that the action writes, without the dot.
        zone: the time zone in which days begin.

    Raises:
        OSError: a file cannot be removed.
    """
    if options.keep_daily is None and options.keep_weekly is None:
        return []
    files = _files(folder, schedule, endings)
    keep = kept(
        files,
        tick,
        daily=options.keep_daily or 0,
        weekly=options.keep_weekly or 0,
        zone=zone,
    )
    removed = []
    for name in sorted(files.keys() - keep):
        for file in files[name]:
            file.unlink(missing_ok=True)
            removed.append(file.name)
    return removed


def _files(folder: Path, schedule: str, endings: Collection[str]) -> Mapping[datetime, list[Path]]:
    """Return the files of a schedule by tick. A table may have several descriptive files."""
    name = re.compile(rf"{re.escape(schedule)}\.({_TIME})\.({'|'.join(map(re.escape, endings))})")
    found: dict[datetime, list[Path]] = {}
    for path in folder.iterdir():
        match = name.fullmatch(path.name)
        if match is None or not path.is_file():
            continue
        try:
            tick = datetime.strptime(match[1], _FORMAT).replace(tzinfo=UTC)
        except ValueError:
            continue  # the digits are not a time, so no schedule wrote the file
        found.setdefault(tick, []).append(path)
    return found
