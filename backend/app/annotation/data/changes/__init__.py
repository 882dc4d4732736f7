"""What changed: between two times or snapshots, or by a run.

`asked` reads which changes somebody asks for, `stream` reads them, and `written` writes them.
"""

from app.annotation.data.changes.asked import Asked, Wanted, understand
from app.annotation.data.changes.stream import Listed, page, reading, stream
from app.annotation.data.changes.views import ChangePage
from app.annotation.data.changes.written import FORMATS, as_json

__all__ = [
    "FORMATS",
    "Asked",
    "ChangePage",
    "Listed",
    "Wanted",
    "as_json",
    "page",
    "reading",
    "stream",
    "understand",
]
