"""Takes what a request says by its content, and passes over nothing that it says."""

import difflib
import re
from collections.abc import Callable, Collection, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError
from starlette.datastructures import MutableHeaders

from app.core.errors import WrongUse

_NUMBER = re.compile("0|-?[1-9][0-9]*")


def _in_digits(value: object) -> object:
    """Let a number of an address through that is written as everybody writes it.

    Pydantic also takes ``1_0``, ``+10``, ``10.0`` and `` 10 `` for 10.
    """
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise PydanticCustomError("digits", "Input should be a whole number, in digits alone")
    return value


IN_DIGITS = BeforeValidator(_in_digits)
"""For each number in an address; it stands behind its bounds, or OpenAPI would not show these."""


class StrictRoute(APIRoute):
    """Refuses query parameters that it does not know, and reads any body as JSON.

    FastAPI ignores the former, so that ``?state=failed`` would list every run, and takes the last
    one of those that are repeated; and it takes the body for text unless ``Content-Type`` says
    JSON, which ``curl -d`` does not.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See FastAPI."""
        handle = super().get_route_handler()
        known = [parameter.alias for parameter in self.dependant.query_params]

        async def strictly(request: Request) -> Response:
            names = [name for name, _ in request.query_params.multi_items()]
            for name in names:
                refuse_unknown("query parameter", name, known)
                if names.count(name) > 1:
                    raise WrongUse(f"the query parameter {name} is there twice", allowed="once")
            MutableHeaders(scope=request.scope)["Content-Type"] = "application/json"
            return await handle(Request(request.scope, request.receive))

        return strictly


def refuse_unknown(what: str, name: object, known: Collection[str]) -> None:
    """Make sure that a name is one of those that are known.

    Raises:
        WrongUse: it is not; with the one that is probably meant.
    """
    if name in known:
        return
    # the name is the client's own: cut short and quoted, as it may hold anything
    said = str(name)[:80]
    near = difflib.get_close_matches(said.lower(), known, n=1)
    hint = f", did you mean {near[0]}?" if near else ""
    raise WrongUse(f"unknown {what} {said!r}{hint}", allowed=", ".join(known) or "none here")
