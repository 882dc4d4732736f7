"""A file with an endless line neither exhausts the memory of a worker nor blocks its event loop."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.annotation.sources.clinvar.reader import REQUIRED
from app.annotation.sources.clinvar.source import ClinVar
from app.annotation.sources.hgnc import Hgnc
from app.annotation.sources.hgnc.records import FIELDS, read_records
from app.annotation.upstream import BadAnswer
from app.annotation.upstream.bulk_files import lines as bounded
from app.annotation.upstream.bulk_files.lines import UnusableFile
from app.annotation.upstream.bulk_files.process import UnreadableFile, read_in_child

BACKEND = Path(__file__).resolve().parents[4]
GIGABYTE = 1024**3
MOST = 300 * 1024**2


def hgnc(folder: Path) -> Path:
    """A file with a header and a line of 1 GB, which is sparse and takes no disk space."""
    path = folder / "hgnc_complete_set.txt"
    path.write_text("\t".join(FIELDS) + "\n")
    os.truncate(path, GIGABYTE)
    return path


def clinvar(folder: Path) -> Path:
    path = folder / "variant_summary.txt.gz"
    megabyte = bytes(1024**2)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(("\t".join(REQUIRED) + "\n").encode())
        for _ in range(GIGABYTE // len(megabyte)):
            file.write(megabyte)
    return path


READ_AND_MEASURE = """
import asyncio, json, resource, sys
from pathlib import Path
from typing import Any
from app.annotation.upstream.bulk_files.process import UnreadableFile, read_in_child

def peak(who):
    return resource.getrusage(who).ru_maxrss * 1024

async def read(reader, path):
    before = peak(resource.RUSAGE_SELF)
    try:
        await anext(read_in_child(reader, [Path(path)], [], of=Any, done=lambda _: None))
    except UnreadableFile as error:
        grown = peak(resource.RUSAGE_SELF) - before
        said = {"refused": str(error), "child": peak(resource.RUSAGE_CHILDREN), "grown": grown}
        print(json.dumps(said))

asyncio.run(read(*sys.argv[1:]))
"""
"""Runs in a process without other children, because the peak covers all its children."""


@pytest.mark.parametrize(
    ("make", "reader"), [(hgnc, Hgnc.file.reader), (clinvar, ClinVar.file.reader)]
)
def test_a_line_of_a_gigabyte_is_refused_in_little_memory(
    tmp_path: Path, make: Any, reader: str
) -> None:
    call = [sys.executable, "-c", READ_AND_MEASURE, reader, str(make(tmp_path))]
    done = subprocess.run(call, cwd=BACKEND, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    assert "a line of more than" in said["refused"]
    assert said["child"] < MOST
    assert said["grown"] < MOST / 10


def test_an_import_refuses_a_line_of_a_gigabyte(tmp_path: Path) -> None:
    with pytest.raises(BadAnswer, match="a line of more than 65,536 bytes"):
        list(read_records(hgnc(tmp_path)))


def test_a_file_is_read_up_to_its_limit_and_refused_beyond_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345\n" * 10)
    assert len(list(bounded.lines(path, max_line=6, max_size=60))) == 10
    with pytest.raises(UnusableFile, match="more than 59 bytes"):
        list(bounded.lines(path, max_line=6, max_size=59))
    with path.open("rb") as file, pytest.raises(UnusableFile, match="more than 59 bytes"):
        list(bounded.blocks_of_lines(file, max_line=6, max_size=59))


async def test_a_table_with_ever_new_classifications_is_refused(tmp_path: Path) -> None:
    """The lines are short and well formed, but would exhaust the memory."""
    path = tmp_path / "variant_summary.txt.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(("\t".join(REQUIRED) + "\n").encode())
        for number in range(1, 60_000):
            fields = dict.fromkeys(REQUIRED, "-") | {
                "GeneID": "1",
                "GeneSymbol": "A",
                "VariationID": str(number),
                "ClinicalSignificance": f"Class {number}",
            }
            file.write(("\t".join(fields.values()) + "\n").encode())
    wanted = [{"entrez_id": "1", "symbols": ["A"]}]
    with pytest.raises(UnreadableFile, match="different classifications"):
        await anext(read_in_child(ClinVar.file.reader, [path], wanted, of=Any, done=lambda _: None))
