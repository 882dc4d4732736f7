"""The parts of any process: logs, redaction, signals, systemd, outbound connections, tracing."""

__all__ = [
    "cancelling",
    "checkout",
    "child",
    "configured_secrets",
    "env_file",
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
