import shlex

from app.db import address


def psql(dsn: str, statement: str, *, user: str | None = None) -> str:
    """Return the call of `psql` for a statement. It asks for the password if there is one.

    Args:
        dsn: the address of PostgreSQL.
        statement: the SQL.
        user: a role in place of the one in the address.
    """
    # needed by the checks, which have to work without psycopg
    from psycopg.conninfo import make_conninfo

    given = address.parse(dsn)
    given.pop("password", None)
    given |= {"user": user} if user else {}
    named = {"-h": "host", "-p": "port", "-U": "user", "-d": "dbname"}
    if given.keys() - named.values():
        # only a connection string can have options, certificates or several servers
        return shlex.join(["psql", make_conninfo("", **given), "-c", statement])
    given.setdefault("dbname", "postgres")
    call = ["psql"]
    for option, name in named.items():
        call += [option, given[name]] if name in given else []
    return shlex.join([*call, "-c", statement])
