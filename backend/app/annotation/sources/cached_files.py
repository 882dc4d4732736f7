from pathlib import Path

from app.annotation.sources.base import FileSource
from app.annotation.sources.registry import SOURCES
from app.annotation.upstream.settings import UpstreamSettings


def list_used(settings: UpstreamSettings) -> set[Path]:
    """Return the files in ``CACHE_DIR`` that the sources read, also those that are disabled.

    A source asks with them whether there is a newer version, and a held release is read from them
    again when it is accepted.
    """
    return {
        path
        for source in SOURCES.values()
        if issubclass(source, FileSource)
        for path in source.cached(settings)
    }
