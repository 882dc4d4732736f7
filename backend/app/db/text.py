def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can store a text, which contains no NUL and no lone surrogate."""
    return text == storable(text)


def storable(text: str) -> str:
    """Remove NUL and replace lone surrogates, neither of which PostgreSQL can store.

    Python decodes bytes that are not UTF-8 into lone surrogates.
    """
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
