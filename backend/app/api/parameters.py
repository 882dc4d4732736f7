"""Query parameters of several reads: the sources, the fields and the point in time."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Query
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.data.field_names import split_names
from app.annotation.data.selection import Selection, find_selection
from app.core.errors import NotFound, WrongUse

EXAMPLE_TIME = "2025-12-31"

EXAMPLE_SNAPSHOT = "paper-2026"

EXAMPLE_FIELDS = ("clinvar.germline.pathogenic", "gnomad.pli")

SOURCES = Annotated[
    list[str],
    Query(
        description="The sources whose annotations are returned, separated by commas; by"
        " default all, or those of `fields`.",
        examples=[["clinvar,gnomad"]],
    ),
]

FIELDS = Annotated[
    list[str],
    Query(
        description="The fields of `data` that are returned, separated by commas; see the page"
        " Fields. The name of a source, or of an object in its data, selects all of its"
        " fields.",
        examples=[[",".join(EXAMPLE_FIELDS)]],
    ),
]

AS_OF = Annotated[
    str | None,
    Query(
        max_length=100,
        description="Return what was valid at this time: a day, which means its end in UTC, or"
        " a time with a zone.",
        examples=[EXAMPLE_TIME],
    ),
]

SNAPSHOT = Annotated[
    str | None,
    Query(
        max_length=200,
        description="Return what was valid at the snapshot with this name.",
        examples=[EXAMPLE_SNAPSHOT],
    ),
]

WHERE = Annotated[
    list[str],
    Query(
        description="Only genes whose data satisfy this condition; see the page Conditions. If"
        " the parameter is repeated, genes must satisfy all conditions.",
        examples=[["clinvar.germline.pathogenic>=10"]],
    ),
]

LIST = Annotated[
    str | None,
    Query(
        max_length=200,
        description="Only the genes of the list with this name.",
        examples=["ciliopathies"],
    ),
]

PREFIX = Annotated[
    str | None,
    Query(
        max_length=100,
        description="Only genes whose symbol begins with this text, in any case.",
        examples=["PKD"],
    ),
]

ORDER = Annotated[
    str,
    Query(
        max_length=500,
        description="The order: `import`, `symbol`, `hgnc_id`, or a field; a minus in front"
        " makes it descending. Lists and maps are sorted by their length. Genes without a"
        " value come last.",
        examples=["symbol", "-clinvar.germline.pathogenic"],
    ),
]


class Shown:
    """The parameters that select annotations and a point in time, as a dependency of routes."""

    def __init__(
        self,
        sources: SOURCES = [],  # noqa: B006 - FastAPI copies it
        fields: FIELDS = [],  # noqa: B006
        as_of: AS_OF = None,
        snapshot: SNAPSHOT = None,
    ) -> None:
        self._sources = given_names(sources)
        self._fields = given_names(fields)
        self._as_of = as_of
        self._snapshot = snapshot

    async def find(self, connection: AsyncConnection) -> Selection:
        """Return the selected sources, fields and point in time.

        Raises:
            WrongUse: there is no such source, field, time or snapshot.
        """
        with in_parameters():
            return await find_selection(
                connection,
                sources=self._sources,
                fields=self._fields,
                as_of=self._as_of,
                snapshot=self._snapshot,
            )


ShownDep = Annotated[Shown, Depends()]
"""The type of a route's parameter that receives the selection."""


def given_names(given: Iterable[str]) -> list[str]:
    """Split the values of a parameter into names, which are separated by commas."""
    return [name for value in given for name in split_names(value)]


@contextmanager
def in_parameters() -> Iterator[None]:
    """Convert `NotFound` to `WrongUse` for names in parameters.

    A 404 is reserved for objects that the path names.
    """
    try:
        yield
    except NotFound as error:
        raise WrongUse(error.found, allowed=error.allowed, remedy=error.remedy) from error
