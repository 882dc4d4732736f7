"""Reads response bodies within size limits that do not depend on ``Content-Length``."""

import io
import zlib
from collections.abc import AsyncIterator, Iterator

import httpx

from app.annotation.upstream.errors import BadAnswer

ENCODING = "gzip"
"""The only accepted ``Content-Encoding``. Its decompression can be limited."""

_PIECE_BYTES = 256 * 1024
"""Maximum output of one decompression step, in bytes: 64 KB from the network may expand to 64
MB."""

_GZIP_WBITS = 16 + zlib.MAX_WBITS
_MAX_SHOWN_CHARS = 60


async def read_body(host: str, response: httpx.Response, limit: int) -> bytes:
    """Return the whole body, decompressed.

    Decompressed bytes are counted before they are stored, so memory use stays close to the length
    of the body, even if the body arrives in tiny parts.

    Args:
        host: the host's name.
        response: the response; nothing of its body has been read.
        limit: the maximum length of the body in bytes, compressed and decompressed.

    Raises:
        BadAnswer: the body exceeds the limit or has another encoding.
        httpx.DecodingError: the compressed body is damaged, or ends too early.
        httpx.TransportError: the connection was lost.
    """
    body = io.BytesIO()
    async for piece in _pieces(host, response):
        # a compressed body may also be endless and decompress to nothing
        if body.tell() + len(piece) > limit or response.num_bytes_downloaded > limit + _PIECE_BYTES:
            raise BadAnswer(f"{host} sent more than {limit:,} bytes")
        body.write(piece)
    return body.getvalue()


async def start_of_body(host: str, response: httpx.Response, size: int) -> bytes:
    """Return the first bytes of a body, decompressed; nothing if it cannot be decoded."""
    start = bytearray()
    try:
        async for piece in _pieces(host, response):
            start += piece[: size - len(start)]
            if len(start) >= size:
                break
    except (BadAnswer, httpx.DecodingError):
        pass  # a refusal counts even when its text cannot be read
    return bytes(start)


def encodings(response: httpx.Response) -> list[str]:
    """Return the content encodings of a body, outermost last; empty if it is not encoded."""
    named = response.headers.get_list("Content-Encoding", split_commas=True)
    return [name for name in map(str.lower, named) if name not in {"", "identity"}]


async def _pieces(host: str, response: httpx.Response) -> AsyncIterator[bytes]:
    if response.is_stream_consumed:  # the response of a mock transport is already read
        yield response.content
        return
    named = encodings(response)
    if not named:
        async for chunk in response.aiter_raw():
            yield chunk
        return
    # httpx would undo any number of encodings, each of which may multiply the size by 1,000
    if named not in ([ENCODING], [f"x-{ENCODING}"]):
        shown = ", ".join(named)[:_MAX_SHOWN_CHARS]
        raise BadAnswer(f"{host} sent a body encoded as {shown}; only {ENCODING} is accepted")
    unpacker = zlib.decompressobj(_GZIP_WBITS)
    async for chunk in response.aiter_raw():
        packed = chunk
        while packed:
            if unpacker.eof:  # a gzip file may have several members (RFC 1952, 2.2)
                unpacker = zlib.decompressobj(_GZIP_WBITS)
            for piece in _unpack(unpacker, packed):
                yield piece
            packed = unpacker.unused_data
    if response.num_bytes_downloaded and not unpacker.eof:
        raise httpx.DecodingError("the compressed body ends too early")


def _unpack(unpacker: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    """Yield everything that can be decompressed now, piece by piece."""
    try:
        while True:
            piece = unpacker.decompress(packed, _PIECE_BYTES)
            yield piece
            packed = unpacker.unconsumed_tail
            if not packed and len(piece) < _PIECE_BYTES:
                return
    except zlib.error as error:
        raise httpx.DecodingError(str(error)) from error
