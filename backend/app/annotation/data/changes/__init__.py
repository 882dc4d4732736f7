"""What changed: between two times or snapshots, or by a run.

`asked` reads which changes somebody asks for, `stream` reads them, `written` writes them as lines,
and `side_by_side` puts both values of what differs beside each other.
"""

from app.annotation.data.changes.asked import ORDERS, Asked, Wanted, understand
from app.annotation.data.changes.side_by_side import Row, side_by_side
from app.annotation.data.changes.stream import Listed, page, reading, stream
from app.annotation.data.changes.views import Change, ChangePage
from app.annotation.data.changes.written import FORMATS, as_json

__all__ = [
    "FORMATS",
    "ORDERS",
    "Asked",
    "Change",
    "ChangePage",
    "Listed",
    "Row",
    "Wanted",
    "as_json",
    "page",
    "reading",
    "side_by_side",
    "stream",
    "understand",
]
