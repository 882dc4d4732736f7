"""Generates the documentation of trace spans from the table in the code."""

from app.core.process.tracing.kinds import KINDS, Kind
from reference.markdown import table


def text() -> str:
    """Return a section for each kind of span."""
    return "\n".join(_section(kind) for kind in KINDS)


def _section(kind: Kind) -> str:
    name = f"{kind.name} {kind.label}".rstrip()
    parent = (
        f"Its parent is the span `{kind.parent}`."
        if kind.parent
        else "It is the root of the trace."
    )
    rows = ((f"`{attribute}`", meaning) for attribute, meaning in kind.attributes.items())
    return f"## {name}\n\n{kind.meaning} {parent}\n\n{table(('attribute', 'meaning'), rows)}"
