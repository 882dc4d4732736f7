"""Reads bulk files in child processes, line by line and within size limits.

Lines, fields and files have a maximum length, so a broken or hostile file cannot exhaust a worker's
memory or block its event loop.

A reader is a function that the child process imports by name and calls as ``reader(request,
*files)``, with the request and the path of each file. It returns a :class:`~.messages.Reading`
after it has read the files completely. `lines` and `tables` read text files within bounds.
"""
