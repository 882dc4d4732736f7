"""What belongs to any process: logs, secrets, signals, systemd, outbound connections."""

__all__ = [
    "cancelling",
    "checkout",
    "child",
    "configured_secrets",
    "exits",
    "guard",
    "killing",
    "logs",
    "loop_watch",
    "network",
    "redaction",
    "signals",
    "systemd",
    "tethered",
    "tracing",
    "version",
]
"""The modules that others may use."""
