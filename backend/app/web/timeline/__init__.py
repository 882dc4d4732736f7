"""What happened to a run, to scale: a lane for each worker, a bar for each attempt.

`history` reads the attempts from the events, `window` says which time is shown, `ticks` and `gaps`
place what belongs to the whole drawing, and `drawing` puts it together.
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
