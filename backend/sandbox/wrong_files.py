"""Writes well-formed but wrong files, for the faults of files.

`short` has half of the genes, `header-only` has none, `renamed` renames one column, and `zeros` has
0 in all columns with numbers. Tables, XML and JSON are supported.
"""

import csv
import gzip
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from sandbox.catalogue import Gene
from sandbox.service import ServedFile

#: The prefix that the fault `renamed` adds to the name.
PREFIX = "renamed_"


def can_be(kind: str, file: ServedFile) -> bool:
    """Tell whether a fault can change a file."""
    possible = {
        "header-only": file.header,
        "renamed": bool(file.renames),
        "zeros": bool(file.numbers),
    }
    return possible.get(kind, True)


def write(kind: str, file: ServedFile, path: Path, genes: Sequence[Gene]) -> None:
    """Write a file with a fault.

    Args:
        kind: one of :data:`sandbox.faults.REWRITING`.
        file: the file without the fault.
        path: the path to write to.
        genes: the genes of the file without the fault.
    """
    if kind == "short":
        file.write(path, genes[: len(genes) // 2])
    elif kind == "header-only":
        file.write(path, [])
    elif file.given is not None:
        path.write_bytes(file.given.read_bytes())
    else:
        file.write(path, genes)
    if kind in {"renamed", "zeros"}:
        _change(kind, file, path)


def _change(kind: str, file: ServedFile, path: Path) -> None:
    content = path.read_bytes()
    packed = content.startswith(b"\x1f\x8b")
    # latin-1 maps each byte to one character, so that any encoding is preserved
    text = (gzip.decompress(content) if packed else content).decode("latin-1")
    if kind == "renamed" and file.renames is not None:
        text = _renamed(text, file)
    elif file.path.endswith((".xml", ".json")):
        text = _zero_fields(text, file.numbers)
    else:
        text = "".join(_zero_columns(text.splitlines(keepends=True), file))
    changed = text.encode("latin-1")
    path.write_bytes(gzip.compress(changed, 1, mtime=0) if packed else changed)


def _renamed(text: str, file: ServedFile) -> str:
    """Rename it everywhere in XML and JSON, and in the header of a table."""
    assert file.renames is not None
    name = rf"(?<![\w.-]){re.escape(file.renames)}(?![\w.-])"
    everywhere = file.path.endswith((".xml", ".json"))
    changed, times = re.subn(name, PREFIX + file.renames, text, count=0 if everywhere else 1)
    if not times:
        raise ValueError(f"{file.name} has no {file.renames!r}")
    return changed


def _zero_fields(text: str, names: Sequence[str]) -> str:
    for name in map(re.escape, names):
        text = re.sub(rf"(<{name}(?:\s[^>]*)?>)[^<]*(</{name}>)", r"\g<1>0\g<2>", text)
        text = re.sub(rf'(\s{name}=")[^"]*(")', r"\g<1>0\g<2>", text)
        text = re.sub(rf'("{name}"\s*:\s*)(?:"[^"]*"|[^\s,}}\]]+)', r"\g<1>0", text)
    return text


def _zero_columns(lines: Sequence[str], file: ServedFile) -> Iterator[str]:
    """Yield the lines with 0 in some columns. Columns without a name are identified by number."""
    numbered = all(name.isdecimal() for name in file.numbers)
    places = [int(name) - 1 for name in file.numbers] if numbered else []
    for line in lines:
        body = line.rstrip("\r\n")
        end = line[len(body) :]
        if file.separator == ",":
            fields = next(csv.reader([body]), [])
        else:
            fields = body.split(file.separator)
        if not places:
            names = [field.removeprefix("#") for field in fields]
            if all(name in names for name in file.numbers):
                places = [names.index(name) for name in file.numbers]
            yield line
        elif len(fields) > max(places):
            for place in places:
                fields[place] = "0"
            yield _joined(fields, file.separator) + end
        else:
            yield line
    if not places:
        raise ValueError(f"{file.name} has no columns {', '.join(file.numbers)}")


def _joined(fields: Sequence[str], separator: str) -> str:
    if separator != ",":
        return separator.join(fields)
    return ",".join('"' + field.replace('"', '""') + '"' for field in fields)
