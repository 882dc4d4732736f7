"""What belongs to any process: logs, secrets, signals, exit statuses, systemd."""

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
    "redaction",
    "signals",
    "systemd",
    "version",
]
"""The modules that others may use."""
