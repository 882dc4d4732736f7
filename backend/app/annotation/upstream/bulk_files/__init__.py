"""Bulk files are read by processes of their own, line by line and within bounds.

What a line, a field or a whole file may be is bounded, because a broken or hostile file must cost a
worker neither its memory nor its event loop. A reader is a function that a process is told by name:
it takes the path and what is asked for, and returns a :class:`~.messages.Reading` when it has read
the file to its end.
"""
