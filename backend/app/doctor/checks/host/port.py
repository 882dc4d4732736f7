import asyncio
import json
from pathlib import Path

from app.doctor.check import Finding, by_time, check, failed, is_timeout, ok
from app.doctor.context import PATIENCE, Context

_LISTENS = "0A"
"""A listening socket's state in `/proc/net/tcp` (Linux, `include/net/tcp_states.h`)."""


@check(
    "host.port",
    "the API's port is free, or the API has it",
    symptom="The API does not start: `the API cannot listen`.",
    why="The API does not start when another program listens there.",
    remedy="sudo fuser -k 8000/tcp  # or: just api --port 8001",
)
async def port(context: Context) -> Finding:
    """Connect, and ask who it is."""
    number = context.api_port
    try:
        async with asyncio.timeout(context.within(PATIENCE)):
            _, writer = await asyncio.open_connection("127.0.0.1", number)
    except TimeoutError:
        # on this machine it is refused at once where nobody listens
        return by_time(_taken(number, "it accepts no connection", *await _who(number)))
    except OSError:
        return ok(f"port {number} is free")
    writer.close()
    from httpx import AsyncClient, HTTPError

    try:
        # no proxy of the environment has anything to do with it, nor its certificates
        async with AsyncClient(timeout=PATIENCE, trust_env=False, verify=False) as http:  # noqa: S501 - no TLS
            answer = await http.get(f"http://127.0.0.1:{number}/health/live")
        said = f"HTTP {answer.status_code}"
        if _is_live(answer.content):
            return ok(f"the API answers on port {number}")
    except HTTPError as error:
        found = _taken(number, f"no HTTP, {type(error).__name__}", *await _who(number))
        return by_time(found) if is_timeout(error) else found
    return _taken(number, said, *await _who(number))


async def _who(number: int) -> tuple[int | None, str]:
    return await asyncio.to_thread(_listener, number)


def _taken(number: int, said: str, pid: int | None, program: str) -> Finding:
    return failed(
        f"port {number} is taken by another program",
        required="nobody, or the API, which answers /health/live",
        found=f"{program or 'a program of another user'}: {said}",
        remedy=(f"kill {pid}" if pid else f"sudo fuser -k {number}/tcp")
        + f"  # or: just api --port {number + 1}",
    )


def _is_live(body: bytes) -> bool:
    try:
        return bool(json.loads(body) == {"status": "live"})
    except ValueError:
        return False


def _listener(number: int) -> tuple[int | None, str]:
    """Return pid and name of the program that listens, as far as this user may know."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(number)}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(file.readlink()) in sockets for file in (folder / "fd").iterdir()):
                return int(folder.name), (folder / "comm").read_text().strip()
        except OSError:  # it ended, or is another user's
            continue
    return None, ""


def _inodes(number: int) -> set[str]:
    found = set()
    for name in ("tcp", "tcp6"):
        table = Path("/proc/net") / name
        for line in table.read_text().splitlines()[1:] if table.is_file() else ():
            words = line.split()
            if words[3] == _LISTENS and int(words[1].rpartition(":")[2], 16) == number:
                found.add(words[9])
    return found
