"""Refuses parameters, fields and forms of numbers that FastAPI would ignore or accept silently."""

import difflib
import re
from collections.abc import Callable, Collection, Coroutine, Iterator
from typing import Any, get_origin

from fastapi import Request, Response
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic_core import PydanticCustomError
from starlette.datastructures import MutableHeaders

from app.core.errors import WrongUse

_NUMBER = re.compile("0|-?[1-9][0-9]*")


def _in_digits(value: object) -> object:
    """Accept a number in a URL only in its usual form.

    Pydantic also reads ``1_0``, ``+10``, ``10.0`` and `` 10 `` as 10.
    """
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise PydanticCustomError("digits", "Input should be a whole number written in digits only")
    return value


IN_DIGITS = BeforeValidator(_in_digits)
"""A validator for each number in a URL. It follows the bounds, so that OpenAPI includes them."""


class StrictBody(BaseModel):
    """The base of request bodies. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, body: object) -> object:
        for name in body if isinstance(body, dict) else ():
            refuse_unknown("field", name, cls.model_fields)
        return body


class StrictRoute(APIRoute):
    """Refuses unknown and repeated query parameters, and reads any body as JSON.

    FastAPI ignores unknown parameters, so ``?stat=failed`` would list all runs, and it uses the
    last value of a repeated parameter. It reads a body as text unless ``Content-Type`` is JSON,
    which ``curl -d`` does not send.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See FastAPI."""
        handle = super().get_route_handler()
        parameters = list(_query_parameters(self.dependant))
        known = [parameter.alias for parameter in parameters]
        lists = {parameter.alias for parameter in parameters if _is_list(parameter)}

        async def handle_strictly(request: Request) -> Response:
            names = [name for name, _ in request.query_params.multi_items()]
            for name in names:
                refuse_unknown("query parameter", name, known)
                if names.count(name) > 1 and name not in lists:
                    raise WrongUse(f"the query parameter {name} is repeated", allowed="once")
            MutableHeaders(scope=request.scope)["Content-Type"] = "application/json"
            return await handle(Request(request.scope, request.receive))

        return handle_strictly


def _query_parameters(dependant: Dependant) -> Iterator[ModelField]:
    """Yield the parameters of a route and of everything that it depends on."""
    yield from dependant.query_params
    for dependency in dependant.dependencies:
        yield from _query_parameters(dependency)


def _is_list(parameter: ModelField) -> bool:
    return get_origin(parameter.field_info.annotation) is list


def refuse_unknown(what: str, name: object, known: Collection[str]) -> None:
    """Check that a name is known.

    Raises:
        WrongUse: it is unknown. The message suggests a similar name.
    """
    if name in known:
        return
    # the name comes from the client and may contain anything, so it is truncated and quoted
    quoted = str(name)[:80]
    near = difflib.get_close_matches(quoted.lower(), known, n=1)
    hint = f", did you mean {near[0]}?" if near else ""
    raise WrongUse(f"unknown {what} {quoted!r}{hint}", allowed=", ".join(known) or "none here")
