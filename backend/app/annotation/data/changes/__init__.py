"""Lists changes: between two times or snapshots, or by a run.

`request` parses the request, `stream` reads the changes, `written` writes them as lines, `counts`
counts them by source, and `side_by_side` shows the former and the new values next to each other.
"""

from app.annotation.data.changes.counts import (
    ChangeCounts,
    SourceCount,
    Tally,
    are_many,
    count,
    in_a_sentence,
    tally,
)
from app.annotation.data.changes.request import (
    ORDERS,
    ChangeRequest,
    ChangeSelection,
    parse_request,
)
from app.annotation.data.changes.side_by_side import Row, side_by_side
from app.annotation.data.changes.stream import Listed, page, reading, stream
from app.annotation.data.changes.views import Change, ChangePage
from app.annotation.data.changes.written import FORMATS, as_json

__all__ = [
    "FORMATS",
    "ORDERS",
    "Change",
    "ChangeCounts",
    "ChangePage",
    "ChangeRequest",
    "ChangeSelection",
    "Listed",
    "Row",
    "SourceCount",
    "Tally",
    "are_many",
    "as_json",
    "count",
    "in_a_sentence",
    "page",
    "parse_request",
    "reading",
    "side_by_side",
    "stream",
    "tally",
]
