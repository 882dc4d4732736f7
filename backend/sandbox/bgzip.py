"""Writes files in the blocks of bgzip (SAM specification, section 4.1): each is a gzip member."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from isal import isal_zlib

_BLOCK = 65_280
_HEADER = struct.Struct("<4BI2BH2B2H")
_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


class BlockWriter:
    """Compresses text in blocks."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._rest = b""

    def write(self, text: str) -> None:
        """Write a text. It is buffered until a block is full."""
        found = self._rest + text.encode()
        whole = len(found) - len(found) % _BLOCK
        for start in range(0, whole, _BLOCK):
            self._block(found[start : start + _BLOCK])
        self._rest = found[whole:]

    def close(self) -> None:
        """Write the buffered text and the empty block that marks the end."""
        if self._rest:
            self._block(self._rest)
        self._file.write(_END)

    def _block(self, data: bytes) -> None:
        packed = isal_zlib.compress(data, 1, wbits=-15)
        size = _HEADER.size + len(packed) + 8
        extra = (6, ord("B"), ord("C"), 2, size - 1)
        self._file.write(_HEADER.pack(0x1F, 0x8B, 8, 4, 0, 0, 0xFF, *extra))
        self._file.write(packed + struct.pack("<2I", zlib.crc32(data), len(data)))


@contextmanager
def bgzipped(path: Path) -> Iterator[BlockWriter]:
    """Write a bgzip file. Equal texts give identical bytes."""
    with path.open("wb") as file:
        writer = BlockWriter(file)
        yield writer
        writer.close()
