"""Runs PostgreSQL as another user if root starts it, because it refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from services.process import ServiceError


@dataclass(frozen=True)
class Account:
    """The user that the server runs as.

    Attributes:
        prefix: the words before a command that make it run as this user.
        uid: the owner of the data folder; None means the current user.
        gid: the group of the data folder.
    """

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path) -> None:
        """Make this user the owner of a file or folder."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def account_for(folder: Path, programs: Path) -> Account:
    """Return the user that runs a server with its data in `folder`.

    That is the current user, except for root. Instead of root it is the owner of the folder, or for
    a new folder `postgres` or `nobody`. That user may be unable to reach the programs or the data,
    as in a checkout below /root or in a private temporary folder. The server then gets the
    capability `dac_override`, so that no permissions of folders have to be changed.

    Raises:
        ServiceError: `setpriv` (util-linux) is missing.
    """
    if os.geteuid() != 0:
        return Account()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ServiceError(
            "PostgreSQL does not run as root, and `setpriv` (package util-linux), which could run"
            " it as another user, is missing. Install it, or run this command as an ordinary user."
        )
    user = _user_of(folder)
    prefix = [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    if not _reaches(prefix, programs / "postgres", folder):
        prefix += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        # without it, access(2), with which PostgreSQL finds its programs, ignores capabilities
        prefix += ["--securebits=+no_setuid_fixup"]
        if not _reaches(prefix, programs / "postgres", folder):
            raise ServiceError(
                f"PostgreSQL does not run as root, and the user {user.pw_name!r} cannot reach"
                f" {programs} and {folder}. Let other users pass the parent folders of the project"
                " (chmod o+x), or run this command as an ordinary user."
            )
    return Account(tuple(prefix), user.pw_uid, user.pw_gid)


def _user_of(folder: Path) -> pwd.struct_passwd:
    owner = folder.stat().st_uid
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        if owner in {0, user.pw_uid}:
            return user
    return pwd.getpwuid(owner)


def _reaches(prefix: list[str], program: Path, folder: Path) -> bool:
    """Return whether a command with this prefix may execute the program and enter the folder."""
    tried = subprocess.run(  # noqa: S603 - constant script
        [*prefix, "/bin/sh", "-c", 'test -x "$1" && cd "$2"', "sh", str(program), str(folder)],
        check=False,
        capture_output=True,
        cwd="/",
    )
    return tried.returncode == 0
