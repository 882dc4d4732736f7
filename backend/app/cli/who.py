"""Who types a command."""

import getpass

from app.core.errors import WrongUse


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
