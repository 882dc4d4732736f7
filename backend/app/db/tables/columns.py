"""What all tables share."""

from sqlalchemy import Column, DateTime, MetaData, func

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)


def at(name: str, *, default_now: bool = False, comment: str | None = None) -> "Column[object]":
    """Return a column of a time, which is not null if it has a default."""
    kind = DateTime(timezone=True)
    if default_now:
        return Column(name, kind, nullable=False, server_default=func.now(), comment=comment)
    return Column(name, kind, comment=comment)
