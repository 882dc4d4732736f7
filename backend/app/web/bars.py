from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle with a tooltip."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str
