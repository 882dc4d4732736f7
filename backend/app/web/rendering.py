"""Renders pages. All values are escaped."""

import shlex
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from app.core.runs import actors
from app.core.text.printable import printable
from app.web import assets, wording
from app.web.cards.markup import markup, prose

PLACES = (
    ("/", "Now", "n"),
    ("/runs", "Runs", "r"),
    ("/genes", "Genes", "g"),
    ("/changes", "Changes", "c"),
    ("/sources", "Sources", "o"),
    ("/workers", "Workers", "w"),
    ("/schedules", "Schedules", "s"),
    ("/notifications", "Notifications", "m"),
    ("/doctor", "Doctor", "d"),
)
"""The navigation: path, name, and the key that opens the page after `g`."""

_FOLDER = Path(__file__).parent


def _shown(value: object) -> object:
    """Escape invisible characters and those that change the writing direction."""
    return printable(value) if type(value) is str else value


_pages = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    finalize=_shown,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    # templates do not change while the process runs
    auto_reload=False,
)
_pages.filters |= {
    "when": wording.when,
    "in_zone": wording.in_zone,
    "markup": markup,
    "clock": wording.clock,
    "prose": prose,
    "span": wording.duration,
    "count": wording.count,
    "words": wording.words,
    "speed": wording.speed,
    "shell": shlex.quote,
    "doer": actors.shown,
}
_pages.globals |= {"asset": assets.address, "places": PLACES}


def root_of(request: Request) -> str:
    """Return the path under which a proxy serves the pages; empty if there is none."""
    root: str = request.scope.get("root_path", "")
    return root


def render(request: Request, template: str, **values: Any) -> str:
    """Return the text of a page or of a part of a page.

    Args:
        request: the request, for the session and the addresses.
        template: the name of the template's file.
        values: the values of the template.
    """
    given = {"root": root_of(request), "session": request.scope.get("session")}
    return _pages.get_template(template).render(given | values)


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page as the answer to a request."""
    return HTMLResponse(render(request, template, **values), status)


def redirect(request: Request, path: str) -> RedirectResponse:
    """Send the browser to another page."""
    return RedirectResponse(root_of(request) + path, HTTPStatus.SEE_OTHER)


def show_problem(
    request: Request, status: int, found: str, *, allowed: str = "", remedy: str = ""
) -> HTMLResponse:
    """Return a page that says what is wrong, what is allowed, and what to do."""
    values = {"found": found, "allowed": allowed, "remedy": remedy}
    phrase = HTTPStatus(status).phrase
    return page(request, "problem.html", status, title=phrase, **values)
