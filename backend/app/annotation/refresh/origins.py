"""Records where answers came from. Many annotations share one origin."""

from dataclasses import dataclass

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.annotation.sources.base import FileSource, Source
from app.annotation.upstream.release import Release


class OriginFile(msgspec.Struct, frozen=True):
    """A file or service that answers came from.

    Attributes:
        address: the address, without secrets.
        sha256: the SHA-256 digest of the file as it was downloaded; None if a service was asked.
    """

    address: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where answers came from: a row of ``origins``.

    Attributes:
        source: the name of the source.
        release: the name of the release for people; None if the upstream does not state it.
        marker: identifies the release.
        files: the files, or the service.
        parser: see :meth:`~app.annotation.sources.base.Source.parser_version`.
    """

    source: str
    release: str | None
    marker: str | None
    files: tuple[OriginFile, ...]
    parser: str


def origin_in_file(source: FileSource) -> Origin:
    """Return the origin of answers from the files that a source has just read completely."""
    release = source.file_release
    assert release is not None
    files = tuple(OriginFile(file.download.address, file.digest) for file in source.files)
    return Origin(source.info.name, release.name, release.marker, files, source.parser)


def origin_at_service(source: Source, address: str, release: Release | None) -> Origin:
    """Return the origin of answers of a source's service.

    Args:
        source: the source that asked.
        address: the address of the service.
        release: the release that the service states, if any.
    """
    name, marker = (release.name, release.marker) if release else (None, None)
    return Origin(source.info.name, name, marker, (OriginFile(address),), source.parser)


# the no-op update makes the statement return the id of an existing row
_RECORD = text(
    """
    INSERT INTO origins (source, release, marker, files, parser)
    VALUES (:source, :release, :marker, CAST(:files AS jsonb), :parser)
    ON CONFLICT (source, release, marker, files, parser) DO UPDATE SET source = excluded.source
    RETURNING id
    """
)


async def record_origin(connection: AsyncConnection, origin: Origin) -> int:
    """Return the id of an origin, and insert the origin if it does not exist."""
    result = await connection.execute(
        _RECORD,
        {
            "source": origin.source,
            "release": origin.release,
            "marker": origin.marker,
            "files": msgspec.json.encode(origin.files).decode(),
            "parser": origin.parser,
        },
    )
    found: int = result.scalar_one()
    return found
