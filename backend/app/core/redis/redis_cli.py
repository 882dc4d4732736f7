import shlex

from app.core.redis.address import parse


def redis_cli(url: str, *words: str) -> str:
    """Return the `redis-cli` command line for a command. It prompts for the password if needed.

    Args:
        url: the address of Redis.
        words: the command.
    """
    known = parse(url)
    options = ["-n", str(known.database)] if known.database else []
    if known.tls:
        options.append("--tls")
    if known.username:
        options += ["--user", known.username]
    if known.password:
        options.append("--askpass")
    rest = shlex.join([*options, *words])
    if known.path is not None:
        return f"redis-cli {shlex.join(['-s', known.path])} {rest}"
    host, port = known.hosts[0]
    at = shlex.join(["-h", host, "-p", str(port)])
    if known.service is not None:
        # the sentinel answers with two lines: the host of the primary, and its port
        ask = f"redis-cli {at} SENTINEL get-master-addr-by-name {shlex.quote(known.service)}"
        at = f'-h "$({ask} | sed -n 1p)" -p "$({ask} | sed -n 2p)"'
    return f"redis-cli {at} {rest}"
