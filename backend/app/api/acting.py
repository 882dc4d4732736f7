"""Says who acts when the API is called. The pages call the same functions and name their user."""

from typing import Annotated

from fastapi import Depends

from app.core.runs.actors import ADMIN_BY_API, Actor


def _by_api() -> Actor:
    return ADMIN_BY_API


ByApi = Annotated[Actor, Depends(_by_api)]
