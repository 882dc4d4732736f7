"""PostgreSQL refuses to run as root: what runs it as somebody else when root starts it."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from services.process import ServiceError


@dataclass(frozen=True)
class Account:
    """Who the server runs as.

    Attributes:
        prefix: what to put before a command so that it runs as this account.
        uid: owner of the data folder, or None when that is whoever we are.
        gid: its group.
    """

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path) -> None:
        """Make this account the owner of a file or folder."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def account_for(folder: Path, programs: Path) -> Account:
    """The account that a server with its data in `folder` runs as: ourselves, but for root.

    Root gives way to the folder's owner, or for a new one to `postgres` or `nobody`. Where that
    account cannot reach the programs or the data (a checkout below /root, a private temporary
    folder) the server is given the capability to pass: no folder's permissions are loosened for it.

    Raises:
        ServiceError: `setpriv` (util-linux) is missing.
    """
    if os.geteuid() != 0:
        return Account()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ServiceError(
            "PostgreSQL does not run as root, and `setpriv` (package util-linux) that would run it"
            " as another user, is missing. Install it, or start this as an ordinary user."
        )
    user = _user_of(folder)
    prefix = [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    if not _reaches(prefix, programs / "postgres", folder):
        prefix += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        # or access(2), by which PostgreSQL looks for its own programs, leaves capabilities out
        prefix += ["--securebits=+no_setuid_fixup"]
        if not _reaches(prefix, programs / "postgres", folder):
            raise ServiceError(
                f"PostgreSQL does not run as root, and the user {user.pw_name!r} cannot reach"
                f" {programs} and {folder}. Move the project where others may pass (chmod o+x its"
                " parent folders), or start this as an ordinary user."
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
    """Whether a command run like this may execute the program and enter the folder."""
    tried = subprocess.run(  # noqa: S603 - constant script
        [*prefix, "/bin/sh", "-c", 'test -x "$1" && cd "$2"', "sh", str(program), str(folder)],
        check=False,
        capture_output=True,
        cwd="/",
    )
    return tried.returncode == 0
