"""Text that people read and type, and text from outside.

`words` writes durations, sizes and lists, and `printable` escapes what a terminal would obey.
`times` reads the times that people type, and `nearest` guesses what they meant by an unknown name.
`http_headers` reads times in the headers of answers. `field_docs` reads the descriptions of fields.
"""

__all__ = ["field_docs", "http_headers", "nearest", "printable", "times", "words"]
"""The modules that others may use."""
