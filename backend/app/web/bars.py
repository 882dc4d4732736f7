from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle, with the text that a pointer over it shows."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str
