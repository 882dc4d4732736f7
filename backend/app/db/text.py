def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can store a text. Bytes that are no UTF-8 became surrogates."""
    return text == storable(text)


def storable(text: str) -> str:
    """Remove NUL and replace lone surrogates, which PostgreSQL cannot store in a text."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
