"""The actor of a call of the API. The pages call the same functions with their own actor."""

from typing import Annotated

from fastapi import Depends

from app.core.runs.actors import ADMIN_BY_API, Actor


def _by_api() -> Actor:
    return ADMIN_BY_API


ByApi = Annotated[Actor, Depends(_by_api)]
