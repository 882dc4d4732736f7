"""Who types a command."""

import getpass
import os
import socket

from app.core.errors import WrongUse
from app.core.runs.actors import Actor, Way


def login_name() -> str:
    """Return the login name of the user of this process.

    Raises:
        WrongUse: it has none, as in a container.
    """
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise WrongUse(
            "this user has no login name", allowed="--by NAME, with your name"
        ) from error


def actor() -> Actor:
    """Return who types the command: the user of the operating system, with the host."""
    try:
        name = login_name()
    except WrongUse:
        name = f"uid {os.getuid()}"
    return Actor(f"{name}@{socket.gethostname()}", Way.CLI)
