"""Bulk files are read by processes of their own, line by line and within bounds.

The length of a line, of a field and of a whole file is bounded, because a broken or hostile file
must not cost a worker its memory or block its event loop.

A reader is a function, whose name the process is given. It is called as ``reader(asked, *files)``
with what is asked for and the path of each file. It returns a :class:`~.messages.Reading` when it
has read the files to their end. `lines` and `tables` read text files within bounds.
"""
