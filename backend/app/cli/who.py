"""Identifies the user of a command."""

import getpass
import os
import socket

from app.core.errors import WrongUse
from app.core.runs.actors import Actor, Way


def login_name() -> str:
    """Return the login name of the user of this process.

    Raises:
        WrongUse: the user has no login name, as in some containers.
    """
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise WrongUse(
            "this user has no login name", allowed="--by NAME, with your name"
        ) from error


def actor() -> Actor:
    """Return the actor of the command: the operating-system user with the host."""
    try:
        name = login_name()
    except WrongUse:
        name = f"uid {os.getuid()}"
    return Actor(f"{name}@{socket.gethostname()}", Way.CLI)
