import asyncio
import os
import pwd
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.doctor.check import Finding, check, failed, ok, skipped
from app.doctor.context import Context

_USER = re.compile(r"^User=(\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _User:
    """Who is to read, by what the permissions of a file are compared with."""

    name: str
    uid: int
    groups: frozenset[int]

    @classmethod
    def of(cls, name: str) -> "_User":
        """Look a user up; KeyError when there is none."""
        entry = pwd.getpwnam(name)
        return cls(name, entry.pw_uid, frozenset(os.getgrouplist(name, entry.pw_gid)))

    def may_read(self, file: Path) -> bool:
        """Tell whether they may read a file, or enter and list a folder."""
        found = file.stat()
        wanted = 0o5 if stat.S_ISDIR(found.st_mode) else 0o4
        return self._has(found, wanted)

    def may_enter(self, folder: Path) -> bool:
        """Tell whether they may go through a folder."""
        return self._has(folder.stat(), 0o1)

    def _has(self, found: os.stat_result, wanted: int) -> bool:
        if self.uid == 0:
            return True
        if found.st_uid == self.uid:
            wanted <<= 6
        elif found.st_gid in self.groups:
            wanted <<= 3
        return found.st_mode & wanted == wanted


@check(
    "install.readable",
    "the services' user can read the code",
    symptom="A service does not start: `Permission denied`, or `No module named app`.",
    why="What was installed with a umask of 077 is root's alone, and the services run as a user of"
    " their own.",
    remedy="sudo sh deploy/systemd/install.sh",
)
async def readable(context: Context) -> Finding:
    """Compare the permissions of the code with the user that the installed units name."""
    return await asyncio.to_thread(_look, context)


def _look(context: Context) -> Finding:
    units = [each.read_text() for each in context.units.glob("kidney-genetics-*.service")]
    names = {name for text in units for name in _USER.findall(text)}
    if not names:
        return ok("no systemd units are installed here")
    for name in sorted(names):
        try:
            user = _User.of(name)
        except KeyError:
            return failed(
                f"there is no user {name}",
                required=f"the user {name}, whom the installed units name",
                found="none",
            )
        try:
            closed = next(_closed_to(user, context), None)
        except PermissionError as error:
            return skipped(f"this user may not look at {error.filename}")
        if closed is not None:
            return failed(
                f"{name} cannot read the code",
                required=f"permissions that let {name} read all of {context.root}",
                found=f"{closed}, mode {stat.S_IMODE(closed.stat().st_mode):03o}",
            )
    return ok(f"{', '.join(sorted(names))} can read the code")


def _closed_to(user: _User, context: Context) -> Iterator[Path]:
    for folder in (context.root, *context.root.parents):
        if not user.may_enter(folder):
            yield folder
    packages = context.root.glob(".venv/lib/python*/site-packages/*")
    for each in (*_all_of(context.backend / "app"), *packages):
        # a name that leads nowhere is another check's
        if each.exists() and not user.may_read(each):
            yield each


def _all_of(folder: Path) -> Iterator[Path]:
    yield folder
    for each in sorted(folder.rglob("*")):
        # what Python keeps beside the code it makes anew
        if "__pycache__" not in each.parts:
            yield each
