def storable(text: str) -> str:
    """Remove NUL and replace lone surrogates, which PostgreSQL cannot store in a text."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
