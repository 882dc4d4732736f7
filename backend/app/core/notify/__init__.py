"""Notifications: what people are told, and the channels that carry it.

`message` is what a channel sends.
"""

__all__ = ["message"]
"""The modules that others may use."""
