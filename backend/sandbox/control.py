"""The endpoints below `/_sandbox`: they control a sandbox and return its statistics."""

import json
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import BadFault, Faults
from sandbox.limits import Limits
from sandbox.stats import Stats


class Steered(Protocol):
    """The interface of a sandbox that the control endpoints use."""

    limits: Limits
    faults: Faults
    stats: Stats

    def reset(self) -> None:
        """Remove all faults and reset all counts."""


def routes(sandbox: Steered, endpoints: frozenset[str]) -> list[Route]:
    """Return the routes: GET stats; POST, GET, DELETE faults; POST limits; POST reset."""

    async def stats(_: Request) -> Response:
        return JSONResponse(sandbox.stats.as_json())

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            sandbox.faults.clear()
        elif request.method == "POST":
            try:
                sandbox.faults.add(endpoints, **await _object(request))
            except BadFault as error:
                return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse(sandbox.faults.listed())

    async def limits(request: Request) -> Response:
        try:
            wanted = await _object(request)
        except BadFault as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        good = all(
            name in sandbox.limits.rates
            and (rate is None or (isinstance(rate, int | float) and rate > 0))
            for name, rate in wanted.items()
        )
        if not good:
            text = f"rates above 0, or null for none, of {sorted(sandbox.limits.rates)}"
            return JSONResponse({"error": text}, status_code=400)
        sandbox.limits.set(wanted)
        return JSONResponse(sandbox.limits.rates)

    async def reset(_: Request) -> Response:
        sandbox.reset()
        return Response(status_code=204)

    return [
        Route("/_sandbox/stats", stats, methods=["GET"]),
        Route("/_sandbox/faults", faults, methods=["GET", "POST", "DELETE"]),
        Route("/_sandbox/limits", limits, methods=["POST"]),
        Route("/_sandbox/reset", reset, methods=["POST"]),
    ]


async def _object(request: Request) -> dict[str, Any]:
    try:
        wanted = json.loads(await request.body())
    except ValueError as error:
        raise BadFault(f"not JSON: {error}") from error
    if not isinstance(wanted, dict):
        raise BadFault("a JSON object is required")
    return wanted
