"""Measures the processor time of processes, which other programs hardly affect."""

import contextlib

import psutil


def server_cpu(pid: int) -> float:
    """Return the processor seconds of the server's processes, including those that have ended."""
    server = psutil.Process(pid)
    while True:
        times = server.cpu_times()
        own = times.user + times.system + times.children_user + times.children_system
        # a process that ends between the two readings is missing in both, so repeat them
        with contextlib.suppress(psutil.NoSuchProcess):
            return float(own + sum(process_cpu(child.pid) for child in server.children()))


def process_cpu(pid: int) -> float:
    """Return the processor seconds of a process."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
