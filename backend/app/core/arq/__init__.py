"""Wake-ups: the arq jobs that notify a worker that a run is ready."""

__all__ = ["client", "client_jobs", "dispatcher", "shutdown", "tasks", "wake_ups"]
"""The modules that others may use."""
