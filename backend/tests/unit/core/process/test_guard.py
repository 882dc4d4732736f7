"""A process with configured secrets writes to stderr."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

BACKEND = Path(__file__).resolve().parents[4]
PASSWORD = "Qw/rtz#Ui@p'A s?d%fg:h\\J=Ü"
ENCODED = quote(PASSWORD, safe="")

BEGIN = (
    "import os, sys; from app.core.process.guard import guard; guard();"
    " secret = os.environ['SECRET'];"
)

WAYS = [
    "raise ValueError(secret)",
    "raise ValueError(repr(secret))",
    "raise KeyError(secret)",
    "from threading import Thread as T; t = T(target=int, args=[secret]); t.start(); t.join()",
    "import click; click.echo(secret, err=True)",
    "import click; click.ClickException(secret).show()",
    "import logging; logging.warning('%r', {'x': secret})",
    "from app.core.process.logs import *; configure('INFO'); logging.error(secret)",
    "import json; print(json.dumps(secret), file=sys.stderr)",
    "from urllib.parse import quote; print(quote(secret), file=sys.stderr)",
    "from urllib.parse import quote_plus as q; print(q(secret).lower(), file=sys.stderr)",
    "from urllib.parse import urlsplit as s; int(s(os.environ['DATABASE_URL']).password)",
    "from urllib.parse import urlsplit as s; int(s(os.environ['AS_HOST']).hostname)",
    "[print(each, end='', file=sys.stderr) for each in secret]",
    "[sys.stderr.buffer.write(os.fsencode(each)) for each in secret]",
    "import sqlalchemy as s; int(s.URL.create('x', 'u', secret).render_as_string(False))",
]

ONE_BY_ONE = """
for way in eval(os.environ["WAYS"]):
    try:
        exec(way)
    except Exception:
        sys.excepthook(*sys.exc_info())
    print(file=sys.stderr)
    print("--", file=sys.stderr)
"""


def stderr_of(code: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"{BEGIN}\n{code}"],
        cwd=BACKEND,
        env=os.environ | {"SECRET": PASSWORD} | env,
        capture_output=True,
        check=False,
    )
    return done.stderr.decode(errors="backslashreplace")


@pytest.mark.parametrize("locale", [{}, {"PYTHONUTF8": "0", "LC_ALL": "C"}])
def test_no_line_of_any_logger_contains_a_configured_password(locale: dict[str, str]) -> None:
    # otherwise Python uses UTF-8 although the locale is C
    locale = locale and locale | {"PYTHONCOERCECLOCALE": "0"}
    env = {"DATABASE_URL": f"postgresql://u:{ENCODED}@host/db", "AS_HOST": f"x://{ENCODED}"}
    said = stderr_of(ONE_BY_ONE, WAYS=repr(WAYS), **env, **locale)
    each_said = said.split("--\n")[:-1]
    assert len(each_said) == len(WAYS), said
    for way, text in zip(WAYS, each_said, strict=True):
        assert "***" in text or "UnicodeEncodeError" in text, way
        for piece in ("rtz", "fg:h", "\\J="):
            assert piece.lower() not in text.lower(), way


def test_the_traceback_of_an_unexpected_error_does_not_contain_the_password() -> None:
    said = stderr_of("int(secret)", ADMIN_TOKEN=PASSWORD)
    assert said.endswith('ValueError: invalid literal for int() with base 10: "***"\n')


def test_an_unfinished_line_is_written_when_it_is_flushed() -> None:
    said = stderr_of("sys.stderr.write('begun'); sys.stderr.flush(); os._exit(0)")
    assert said == "begun"
