"""The parameters that filter changes."""

from typing import Annotated

from fastapi import Depends, Query

from app.annotation.data.changes import ChangeRequest
from app.annotation.data.moments import ALLOWED
from app.annotation.genes.resolve import ANY_NAME
from app.annotation.sources import SOURCES
from app.api.parameters import LIST
from app.api.strict_requests import IN_DIGITS
from app.db.bounds import MAX_ID

_WHEN = (
    f"{ALLOWED[0].upper()}{ALLOWED[1:]}, or the name of a snapshot. A day means its end, in UTC."
)


class Filters:
    """The parameters that filter changes, as a dependency of routes."""

    def __init__(
        self,
        *,
        since: Annotated[
            str | None,
            Query(
                max_length=100,
                description="Compare the answers at this time with the current ones. A day"
                " means its beginning in UTC. Default, without `from` and `run`: 7 days"
                " ago.",
                examples=["2026-03-01"],
            ),
        ] = None,
        from_: Annotated[
            str | None,
            Query(
                alias="from",
                max_length=200,
                description=f"The earlier time. {_WHEN}",
                examples=["paper-2026"],
            ),
        ] = None,
        to: Annotated[
            str | None,
            Query(
                max_length=200,
                description="With `from`: the later time; by default, now.",
            ),
        ] = None,
        run: Annotated[
            int | None,
            Query(ge=1, le=MAX_ID, description="Only the changes by this run.", examples=[1]),
            IN_DIGITS,
        ] = None,
        source: Annotated[
            str | None,
            Query(
                max_length=200,
                description="Only the answers of this source.",
                examples=[[*SOURCES][-1]],
            ),
        ] = None,
        gene: Annotated[
            str | None,
            Query(
                max_length=200,
                description=f"Only the gene with this name: {ANY_NAME}.",
                examples=["PKD1"],
            ),
        ] = None,
        list: LIST = None,  # noqa: A002 - the name in the address
        moving: Annotated[
            bool,
            Query(
                description="Also return changes of fields that move only, such as dates of"
                " evaluation and numbers of articles."
            ),
        ] = False,
    ) -> None:
        self.change_request = ChangeRequest(
            since=since,
            from_=from_,
            to=to,
            run=run,
            source=source,
            gene=gene,
            list=list,
            moving=moving,
        )
        """The same filters in the form of the query."""


FiltersDep = Annotated[Filters, Depends()]
"""The type of a route's parameter that receives the filters."""
