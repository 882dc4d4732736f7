import shlex

from app.db import address


def psql(dsn: str, statement: str, *, user: str | None = None) -> str:
    """Return the `psql` command line for a statement. It prompts for the password if needed.

    Args:
        dsn: the address of PostgreSQL.
        statement: the SQL.
        user: a role to use instead of the one in the address.
    """
    # imported here, because the checks must work without psycopg
    from psycopg.conninfo import make_conninfo

    given = address.parse(dsn)
    given.pop("password", None)
    given |= {"user": user} if user else {}
    named = {"-h": "host", "-p": "port", "-U": "user", "-d": "dbname"}
    if given.keys() - named.values():
        # options, certificates and several servers require a connection string
        return shlex.join(["psql", make_conninfo("", **given), "-c", statement])
    given.setdefault("dbname", "postgres")
    call = ["psql"]
    for option, name in named.items():
        call += [option, given[name]] if name in given else []
    return shlex.join([*call, "-c", statement])
