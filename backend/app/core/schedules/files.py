"""The files that schedules write: their names, their folder, and the removal of old ones.

A file is named after the schedule and the tick, so that a tick that is done again writes the same
file. A name holds capital letters, which the name of a schedule cannot have: no schedule takes the
files of another one, or those that somebody wrote by hand, for its own. Nor does it take a file
with an ending that its action never writes, such as an encrypted copy beside a backup.
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
"""What `tempfile` and the exports put into the name of a half file."""

_FORMAT = "%Y%m%dT%H%M%SZ"

MAX_KEEP = 1_000


class FolderOptions(BaseModel):
    """Where a schedule writes files, and which of them it keeps."""

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
        name: its absolute path.
        outside: folders whose content may be removed by others. It must not be in one of them.

    Raises:
        WrongUse: it is not absolute, does not exist here, is in one of those folders, or this
            process may not write there.
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
    """Tell whether the file of a tick is there, and remove half files of its schedule.

    A file has its name when it is complete, so a worker wrote it that died before it recorded this.
    It must not be written again. The tick of a backup is also not recorded as done in the backup
    itself: whoever restores it has the file, and the file has to stay as it is.

    Raises:
        UserError: somebody has put a link where a file of the tick will be.
        OSError: a half file cannot be removed.
    """
    remove_half_files(file.parent, schedule)
    if file.is_file():
        return True
    tick = file.name.removeprefix(f"{schedule}.").partition(".")[0]
    for path in file.parent.iterdir():
        # an export would write where it leads
        if path.name.startswith(f"{schedule}.{tick}.") and path.is_symlink():
            raise UserError(
                f"{path} is a link, and a schedule writes into its folder only",
                remedy=f"remove the link: rm {path}",
            )
    return False


def remove_half_files(folder: Path, schedule: str) -> None:
    """Remove what a worker left behind that died while it wrote a file of this schedule.

    Raises:
        OSError: it cannot be removed.
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
    """Remove the files of a schedule that need not be kept; return the names of their ticks' files.

    Args:
        folder: with the files.
        schedule: whose files they are.
        tick: whose file has just been written, and is complete.
        options: how many are kept. All are if it does not say.
        endings: of the files that the action writes, without the point before them.
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
    """Return the files of a schedule by their tick. A table may have descriptions beside it."""
    name = re.compile(rf"{re.escape(schedule)}\.({_TIME})\.({'|'.join(map(re.escape, endings))})")
    found: dict[datetime, list[Path]] = {}
    for path in folder.iterdir():
        match = name.fullmatch(path.name)
        if match is None or not path.is_file():
            continue
        try:
            tick = datetime.strptime(match[1], _FORMAT).replace(tzinfo=UTC)
        except ValueError:
            continue  # digits that are no time: nobody's file
        found.setdefault(tick, []).append(path)
    return found
