"""Formats text for people, and parses text from people and from outside.

`words` formats durations, sizes and lists, and `printable` escapes control characters. `times`
parses the times that people type, and `nearest` suggests a known name for an unknown one.
`http_headers` parses times in response headers. `field_docs` reads the docstrings of fields.
"""

__all__ = ["field_docs", "http_headers", "nearest", "printable", "times", "words"]
"""The modules that others may use."""
