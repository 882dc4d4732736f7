import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox import transports, wrong_files
from sandbox.call import Call, FaultInstead, Reply
from sandbox.catalogue import Catalogue
from sandbox.control import routes as control_routes
from sandbox.faults import REWRITING, Fault, Faults
from sandbox.files import Files, Served
from sandbox.limits import Limits, Verdict
from sandbox.options import Options
from sandbox.refusals import failure
from sandbox.registry import SERVICES, allowed_rates
from sandbox.service import Endpoint, ServedFile, Service
from sandbox.stats import Stats

_FREE = Verdict(admitted=True, limit=None, remaining=0)
_A_DAY = 86_400.0
_LAG = timedelta(days=7)

Answering = Callable[[Request], Awaitable[ASGIApp]]


class Upstreams:
    """All services of one sandbox as an ASGI application (`app`), with their limits and faults."""

    def __init__(self, options: Options) -> None:
        self.catalogue = Catalogue(options)
        self.services = {service.name: service(self.catalogue) for service in SERVICES}
        self.limits = Limits(allowed_rates(options), daily=options.limits == "real")
        self.stats = Stats()
        endpoints = [(of, endpoint) for of in self.services.values() for endpoint in of.endpoints()]
        served = [(of, file) for of in self.services.values() for file in of.files()]
        files = frozenset(each.name for _, each in served)
        wrong = {
            kind: frozenset(each.name for _, each in served if wrong_files.can_be(kind, each))
            for kind in REWRITING
        }
        self.endpoints = frozenset(each.name for _, each in endpoints) | files
        self.faults = Faults(
            {
                "uid-error": frozenset(each.name for _, each in endpoints if each.has_uids),
                "wrong-count": frozenset(each.name for _, each in endpoints if each.miscounts),
                # half of the file over HTTP/1.0, where truncation is not detectable
                "no-length": files,
                # the file of an outdated mirror
                "older": files,
                **wrong,
            }
        )
        self.files = Files(options, self.catalogue.genes, [each for _, each in served])
        routes = [
            Route(each.path, _answering(self._answer(of, each)), methods=each.methods.split())
            for of, each in endpoints
        ] + [
            Route(each.path, _answering(self._download(of, each)), methods=["GET"])
            for of, each in served
        ]
        self.app = Starlette(routes=[*routes, *control_routes(self, self.endpoints)])

    def reset(self) -> None:
        """Remove all faults and reset all counts."""
        self.faults.clear()
        self.limits.forget()
        self.stats.reset()

    def _answer(self, service: Service, endpoint: Endpoint) -> Answering:
        name = endpoint.name

        async def answer(request: Request) -> ASGIApp:
            now = time.monotonic()
            self.stats.request(name)
            call = await _call(name, request, self.faults)
            address = request.client.host if request.client else "unknown"
            budget, client = service.client(endpoint.budget, call, address)
            if (refusal := service.refuse(call)) is not None:
                return _response(refusal)
            verdict = self.limits.admit(budget, client, now)
            if not verdict.admitted:
                self.stats.refused(name)
                return _response(service.too_many(budget, verdict, client))
            try:
                reply = await endpoint.answer(call)
            except FaultInstead as instead:
                refuse = partial(service.too_many, budget, verdict, client)
                return self._instead(
                    instead.fault, service, endpoint, call, client=client, refuse=refuse
                )
            reply.headers |= service.rate_headers(budget, verdict)
            if call.met is None or call.met.kind == "slow":
                self.stats.served(name, genes=reply.genes, page=reply.page, records=reply.records)
            if call.met is not None:
                self.stats.faulted(name)
                await _spoil(reply, call.met)
            return _response(reply)

        return answer

    def _download(self, service: Service, file: ServedFile) -> Answering:
        name = file.name

        async def download(request: Request) -> ASGIApp:
            self.stats.request(name)
            call = await _call(name, request, self.faults)
            try:
                fault = call.meet_fault(lambda _: False)
            except FaultInstead as instead:
                refuse = partial(service.too_many, "files", _FREE, "")
                return self._instead(instead.fault, service, None, call, client="", refuse=refuse)
            if fault is not None:
                self.stats.faulted(name)
                if fault.kind == "slow":
                    await asyncio.sleep(1 if fault.seconds is None else fault.seconds)
            wrong = fault.kind if fault is not None and fault.kind in REWRITING else None
            served = await self.files.get(file.name, wrong)
            if fault is not None and fault.kind == "older":
                served = replace(served, etag='"older"', changed=served.changed - _LAG)
            if fault is not None and fault.kind == "no-length":
                return transports.without_length(served.path.read_bytes()[: served.size // 2])
            if served.unchanged_for(call.headers):
                return Response(status_code=304, headers=served.headers)
            return self._file(service, file, served, request, fault)

        return download

    def _file(
        self,
        service: Service,
        file: ServedFile,
        served: Served,
        request: Request,
        fault: Fault | None,
    ) -> ASGIApp:
        media = "application/x-gzip" if file.path.endswith("gz") else "text/plain"
        headers = {**served.headers, "Content-Length": str(served.size)}
        if request.method == "HEAD":
            return Response(headers=headers, media_type=media)
        client = request.client.host if request.client else "unknown"
        if file.daily is not None and not self.limits.admit_daily(file.name, client, file.daily):
            self.stats.refused(file.name)
            return _response(service.too_many("files", _FREE, client, _A_DAY / 2))
        if fault is not None and fault.kind == "truncated":
            return _BrokenOff(_damaged(served, fault), headers=headers, media_type=media)
        return StreamingResponse(_damaged(served, fault), headers=headers, media_type=media)

    def _instead(
        self,
        fault: Fault,
        service: Service,
        endpoint: Endpoint | None,
        call: Call,
        *,
        client: str,
        refuse: Callable[[float | None], Reply],
    ) -> ASGIApp:
        self.stats.faulted(call.endpoint)
        if fault.kind == "429":
            self.stats.refused(call.endpoint)
            return _response(refuse(fault.seconds))
        if fault.kind == "reset":
            return transports.reset
        if fault.kind == "hang":
            return _hanging(_A_DAY if fault.seconds is None else fault.seconds)
        return _response(failure(fault.kind, service, endpoint, client, fault.seconds))


async def _call(name: str, request: Request, faults: Faults) -> Call:
    params = dict(request.query_params)
    body = b""
    if request.method == "POST":
        body = await request.body()
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            params |= dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return Call(
        endpoint=name,
        method=request.method,
        params=params,
        values=dict(request.path_params),
        headers=dict(request.headers),
        body=body,
        url_length=len(request.url.path) + 1 + len(request.url.query),
        faults=faults,
    )


async def _spoil(reply: Reply, fault: Fault) -> None:
    if fault.kind == "slow":
        await asyncio.sleep(1 if fault.seconds is None else fault.seconds)
    elif fault.kind == "truncated":
        reply.body = reply.body[: len(reply.body) * 2 // 3]
    elif fault.kind == "invalid-json":
        reply.body = reply.body[:-1] + b",NaN:,]}"
    elif fault.kind == "raw-newline":
        # Spoils the last string, so that a strict parser rejects the body and a lenient one reads
        # it.
        head, start, rest = reply.body.rpartition(b'":"')
        reply.body = head + start + b"\n" + rest if start else reply.body


async def _damaged(served: Served, fault: Fault | None) -> AsyncIterator[bytes]:
    sent = 0
    async for chunk in served.chunks():
        if fault is not None and fault.kind == "truncated" and sent + len(chunk) > served.size // 2:
            yield chunk[: max(0, served.size // 2 - sent)]
            return
        if fault is not None and fault.kind == "invalid-json" and not sent:
            middle = len(chunk) // 2
            yield (
                chunk[:middle]
                + bytes(byte ^ 0xFF for byte in chunk[middle : middle + 64])
                + chunk[middle + 64 :]
            )
        else:
            yield chunk
        sent += len(chunk)


class _BrokenOff(StreamingResponse):
    """A body that ends before its Content-Length with a reset of the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(headers)
        async for chunk in self.body_iterator:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await transports.reset(scope, receive, send)


def _hanging(seconds: float) -> ASGIApp:
    async def hang(scope: Scope, receive: Receive, send: Send) -> None:
        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        try:
            await asyncio.wait_for(gone(), seconds)
        except TimeoutError:
            await transports.reset(scope, receive, send)

    return hang


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, reply.headers, reply.media_type)


class _answering:  # noqa: N801 - a decorator
    """An endpoint as plain ASGI, because Starlette requires a Response from functions."""

    def __init__(self, endpoint: Answering) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._endpoint(Request(scope, receive))
        await answer(scope, receive, send)
