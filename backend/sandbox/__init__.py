"""Imitates the upstream services offline: their formats, limits and faults."""

from sandbox.options import Options
from sandbox.server import Sandbox

__all__ = ["Options", "Sandbox"]
