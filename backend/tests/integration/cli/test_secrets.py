"""Whatever goes wrong at a start, no terminal shows a secret that is configured."""

import fcntl
import os
import random
import re
import string
import struct
import termios
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest

from app.annotation.settings import Settings
from services.postgres import Postgres
from services.redis import Redis
from tests.forked import Programs

WORKER = ("arq", "app.core.arq_worker.WorkerSettings")
CHECK = (*WORKER, "--check")
API = ("app.cli", "api", "--port", "0")
UVICORN = ("uvicorn", "app.main:create_app", "--factory", "--port", "0")
MIGRATE = ("app.cli", "migrate")
STATUS = ("app.cli", "status")
ANNOTATE = ("app.cli", "annotate", "hgnc")
BACKUP = ("app.cli", "backup", "/tmp/never-written")
DOCTOR = ("app.cli", "doctor", "--offline")
HYBRID_UP = ("services", "up")

SIGNS = "/?#@:%&=+[]!$ "
PIECES = 4
"""Characters; of a secret's letters and digits, so many in a row are not to be seen."""


def secret_and_width(seed: int) -> tuple[str, int]:
    """A secret with all characters that are special in an address, and the width of a terminal."""
    draw = random.Random(seed)
    letters = string.ascii_letters + string.digits
    first, last = ("".join(draw.choices(letters, k=draw.randint(5, 24))) for _ in range(2))
    signs = "".join(draw.sample(SIGNS, draw.randint(1, len(SIGNS))))
    return first + signs + last, draw.choice([20, 80, 132, draw.randint(10, 250)])


class Terminal:
    """A program that runs in a terminal of a certain width."""

    def __init__(
        self, programs: Programs, words: tuple[str, ...], env: dict[str, str], width: int
    ) -> None:
        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        self._program = programs.start(words, env | {"COLUMNS": str(width)}, theirs, theirs)
        os.close(theirs)

    def shown(self) -> tuple[int, str]:
        """Wait for the end of the program; return its exit status and its output."""
        said = b""
        try:
            while part := os.read(self._ours, 65_536):
                said += part
        except OSError:
            # how Linux says that nobody has the other end any more
            pass
        finally:
            os.close(self._ours)
        status = self._program.wait()
        self._program.close()
        return status, said.decode(errors="replace")


def ways(secret: str, postgres: str, redis: str) -> list[tuple[tuple[str, ...], dict[str, str]]]:
    """Every failure at startup whose message could contain a secret."""
    safe = quote(secret, safe="")
    database = urlsplit(postgres)
    gone = "127.0.0.1:1"
    there = {"DATABASE_URL": postgres, "REDIS_URL": redis, "USE_ARQ_WORKER": "True"}
    arq_only = there | {"DATABASE_URL": f"postgresql://u:{safe}@{gone}/genes"}
    refused = f"postgresql://{database.username}:{safe}@{database.hostname}:{database.port}/genes"
    return [
        # PostgreSQL cannot be reached
        (WORKER, arq_only),
        (MIGRATE, arq_only),
        (API, arq_only | {"USE_ARQ_WORKER": "False"}),
        (UVICORN, arq_only),
        (DOCTOR, arq_only),
        (HYBRID_UP, arq_only | {"DATABASE_URL": f"postgresql://u:{safe}@db.invalid/genes"}),
        # it refuses the password, or the address is not written as it has to be
        (STATUS, there | {"DATABASE_URL": refused}),
        (BACKUP, there | {"DATABASE_URL": f"postgresql://u:{secret}@{gone}/genes"}),
        (ANNOTATE, there | {"DATABASE_URL": f"postgresql://u:{secret}@{gone}:x/genes"}),
        (HYBRID_UP, there | {"DATABASE_URL": f"postgresql://u:{secret}@db.invalid/genes"}),
        # Redis
        (WORKER, there | {"REDIS_URL": f"redis://:{secret}@{gone}/0"}),
        (WORKER, there | {"REDIS_URL": f"redis://u:{safe}@{redis.partition('@')[2]}"}),
        (CHECK, there | {"REDIS_URL": f"redis://{secret}@{gone}/0"}),
        (DOCTOR, there | {"REDIS_URL": f"redis://:{secret}@{gone}/zero"}),
        (HYBRID_UP, there | {"REDIS_URL": f"redis://:{secret}@{gone}/0"}),
        # other settings
        (STATUS, there | {"NCBI_EUTILS_URL": f"ftp://me:{secret}@mirror.invalid/x"}),
        (STATUS, there | {"ADMIN_TOKEN": secret, "ARQ_MAX_JOBS": "many"}),
    ]


@pytest.fixture
def no_env() -> dict[str, str]:
    ours = {name.upper() for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name not in ours}


@pytest.mark.timeout(400)
def test_no_way_of_failing_to_start_shows_a_secret_at_any_width(
    no_env: dict[str, str], programs: Programs, postgres: Postgres, tmp_path: Path
) -> None:
    seed = random.randrange(1_000_000)  # another one for each test run; a failure shows it
    secret, width = secret_and_width(seed)
    with_password = Redis(tmp_path / "redis", password="another-password")
    with_password.start()
    try:
        tried = ways(secret, postgres.dsn, with_password.url)
        for begin in range(0, len(tried), 4):
            some = tried[begin : begin + 4]
            terminals = [Terminal(programs, words, no_env | env, width) for words, env in some]
            for (words, env), terminal in zip(some, terminals, strict=True):
                status, said = terminal.shown()
                assert status != 0, (seed, words, said)
                assert said.strip(), words
                for piece in pieces(secret):
                    assert piece.lower() not in flat(said), (seed, words, env, said)
    finally:
        with_password.stop()


def pieces(secret: str) -> set[str]:
    """Return the texts that must not be shown: the secret, its decoded form, and its parts."""
    forms = {secret, unquote(secret), quote(secret, safe="")}
    runs = {run for run in re.findall(r"[a-zA-Z0-9]+", secret) if len(run) >= PIECES}
    return {form for form in forms | runs if len(form) >= PIECES}


def flat(said: str) -> str:
    """Return the output with wrapped lines joined again."""
    return re.sub(r"[\r\n│|]\s*", "", said).lower()
