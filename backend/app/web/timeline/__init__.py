"""The timeline of a run: a lane for each worker, a bar for each attempt, to scale.

`history` derives the attempts from the events, `window` defines the visible period, `ticks` and
`gaps` draw the axis and the times without a worker, and `drawing` assembles the drawing.
"""

from app.web.timeline.drawing import draw
from app.web.timeline.history import attempts_of, gaps_of
from app.web.timeline.shapes import Drawing
from app.web.timeline.window import Window, whole_of, window_of, zooms

__all__ = [
    "Drawing",
    "Window",
    "attempts_of",
    "draw",
    "gaps_of",
    "whole_of",
    "window_of",
    "zooms",
]
