"""The upstream services, imitated offline: their formats, their limits and their faults."""

from sandbox.options import Options
from sandbox.server import Sandbox

__all__ = ["Options", "Sandbox"]
