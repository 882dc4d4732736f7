def storable(text: str) -> str:
    """Leave out what PostgreSQL cannot hold in a text: NUL and half surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
