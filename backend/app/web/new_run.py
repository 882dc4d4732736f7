"""The form that starts a run, after a forecast of it."""

import json
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel, Field

from app.annotation.own_tables.registry import all_sources
from app.annotation.refresh.forecast import Forecast, forecast_request
from app.annotation.refresh.requests import request_run
from app.annotation.settings import Settings
from app.api.services import ServicesDep
from app.core.runs.request import MODES, RunRequest
from app.web.rendering import page, redirect
from app.web.roles import actor_of


class RunForm(BaseModel):
    """The fields of the form. No source means all."""

    source: list[Annotated[str, Field(max_length=100)]] = Field([], max_length=100)
    mode: str = Field(MODES[0], max_length=20)

    @property
    def request(self) -> RunRequest:
        """The equivalent request for a run."""
        return RunRequest.of(self.source or None, self.mode)

    @property
    def body(self) -> str:
        """The same as the body of a call of the API."""
        return json.dumps({"sources": self.source or None, "mode": self.mode})


def new_run_router(settings: Settings) -> APIRouter:
    """Return the routes of the form.

    Args:
        settings: the settings of the sources, which are asked for their releases.
    """
    router = APIRouter()

    async def show(
        request: Request,
        services: ServicesDep,
        form: RunForm,
        forecasts: Sequence[Forecast] | None,
    ) -> Response:
        async with services.reads.connect() as connection:
            sources = [*await all_sources(connection)]
        return page(request, "new_run.html", form=form, sources=sources, forecasts=forecasts)

    @router.get("/runs/new")
    async def show_form(
        request: Request, services: ServicesDep, form: Annotated[RunForm, Query()]
    ) -> Response:
        """Show the form."""
        return await show(request, services, form, None)

    @router.post("/runs/new")
    async def look(
        request: Request, services: ServicesDep, form: Annotated[RunForm, Form()]
    ) -> Response:
        """Show what the run would do.

        This sends requests to the sources, so it is a POST: neither viewers nor other sites can
        trigger it.
        """
        forecasts = await forecast_request(services.db, settings, form.request, services.limiter)
        return await show(request, services, form, forecasts)

    @router.post("/runs")
    async def start(
        request: Request, services: ServicesDep, form: Annotated[RunForm, Form()]
    ) -> Response:
        """Start a run, or go to the active run of the same request."""
        accepted = await request_run(
            services.db,
            services.dispatcher,
            form.request,
            enabled=services.enabled_sources,
            actor=actor_of(request),
        )
        return redirect(request, f"/runs/{accepted.ref.run_id}")

    return router
