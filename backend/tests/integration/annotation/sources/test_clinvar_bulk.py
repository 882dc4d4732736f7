import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.annotation.sources.answers import MAX_ANSWERS, Answer, Gene
from app.annotation.sources.base import Source
from app.annotation.sources.clinvar.attribution import RequestedGene
from app.annotation.sources.clinvar.declaration import FILES, TABLE_FILE
from app.annotation.sources.clinvar.source import ClinVar
from app.annotation.sources.connector import Connector
from app.annotation.upstream import BadAnswer
from app.annotation.upstream.bulk_files import process as reading_process
from app.annotation.upstream.bulk_files.messages import Order
from app.annotation.upstream.bulk_files.process import (
    ReadingProcessDied,
    UnreadableFile,
    read_in_child,
)
from harness.timing import WAIT, scaled
from sandbox import Sandbox

CHILD = "app.annotation.upstream.bulk_files.child"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(reading_process._BACKEND)}


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    path = tmp_path / "endless.gz"
    os.mkfifo(path)
    return path


async def in_bulk(source: Source, genes: list[Gene]) -> dict[int, Answer]:
    answers: dict[int, Answer] = {}
    async for part in source.bulk(genes):
        assert len(part) <= MAX_ANSWERS
        answers |= {answer.gene_id: answer for answer in part}
    return answers


def counting(path: Path) -> AsyncGenerator[list[Any], None]:
    wanted = [RequestedGene("1", ("A",))]
    return read_in_child(ClinVar.file.reader, [path], wanted, of=Any, done=lambda _: None)


async def table_of(connect: Connector) -> Path:
    files = connect.upstream(FILES)
    return (await files.download(TABLE_FILE)).path


async def test_both_ways_give_the_same_annotations(
    source: Callable[[str], Source], genes: list[Gene]
) -> None:
    by_api = {answer.gene_id: answer for answer in await source("clinvar").annotate(genes)}
    assert await in_bulk(source("clinvar"), genes) == by_api


async def test_both_ways_agree_on_genes_without_ids_or_with_new_names(
    source: Callable[[str], Source], genes: list[Gene]
) -> None:
    odd = [replace(gene, entrez_id=None) for gene in genes[:30]]
    odd += [replace(gene, symbol=f"NEW-{gene.id}") for gene in genes[30:60]]
    by_api = {answer.gene_id: answer for answer in await source("clinvar").annotate(odd)}
    assert await in_bulk(source("clinvar"), odd) == by_api


async def test_both_ways_agree_on_genes_whose_symbol_is_that_of_another_id(
    source: Callable[[str], Source], genes: list[Gene]
) -> None:
    odd = [replace(gene, entrez_id=f"9999{gene.id:05}") for gene in genes[:30]]
    by_api = {answer.gene_id: answer for answer in await source("clinvar").annotate(odd)}
    assert await in_bulk(source("clinvar"), odd) == by_api
    assert "found" not in {answer.state for answer in by_api.values()}


async def test_both_ways_agree_without_expected_counts(
    sandbox: Sandbox, source: Callable[[str], Source], genes: list[Gene]
) -> None:
    sandbox.fault("clinvar.gene_specific_summary", "500")
    by_api = {answer.gene_id: answer for answer in await source("clinvar").annotate(genes)}
    assert await in_bulk(source("clinvar"), genes) == by_api
    assert {answer.state for answer in by_api.values()} == {"found", "unknown"}


async def test_the_table_is_read_for_one_download(
    sandbox: Sandbox, source: Callable[[str], Source], genes: list[Gene]
) -> None:
    clinvar = source("clinvar")
    await in_bulk(clinvar, genes)
    assert clinvar.requests == 2
    assert clinvar.file_release.name == "2025-11-02"
    assert sandbox.stats()["requests"]["clinvar.variant_summary"] == 1
    assert "clinvar.esearch" not in sandbox.stats()["requests"]


async def test_a_broken_copy_is_downloaded_again(
    sandbox: Sandbox, connect: Connector, source: Callable[[str], Source], genes: list[Gene]
) -> None:
    path = await table_of(connect)
    kept = path.stat()
    path.write_bytes(path.read_bytes()[:-2000] + b"x" * 2000)
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    answers = await in_bulk(source("clinvar"), genes)
    assert {answer.state for answer in answers.values()} == {"found", "absent"}
    assert sandbox.stats()["requests"]["clinvar.variant_summary"] == 3


async def test_a_table_that_stays_broken_is_a_bad_answer(
    source: Callable[[str], Source], genes: list[Gene], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(
        _reader: str, paths: list[Path], *_: object, **_more: object
    ) -> AsyncIterator[list[None]]:
        raise UnreadableFile(f"{paths[0].name}: EOFError")
        yield []

    monkeypatch.setattr("app.annotation.sources.fetched.read_in_child", broken)
    with pytest.raises(BadAnswer, match="cannot be read"):
        await in_bulk(source("clinvar"), genes)


async def test_a_file_that_is_cut_off_gives_no_counts(connect: Connector, tmp_path: Path) -> None:
    whole = await table_of(connect)
    cut = tmp_path / "cut.gz"
    cut.write_bytes(whole.read_bytes()[:-1000])
    with pytest.raises(UnreadableFile, match="EOFError"):
        await anext(counting(cut))


async def test_a_killed_process_is_an_error_and_not_an_answer(
    connect: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await table_of(connect)
    spawn = asyncio.create_subprocess_exec

    async def spawn_and_kill(*args: str, **more: object) -> asyncio.subprocess.Process:
        process = await spawn(*args, **more)  # type: ignore[arg-type]
        process.kill()
        return process

    monkeypatch.setattr(reading_process.asyncio, "create_subprocess_exec", spawn_and_kill)
    with pytest.raises(ReadingProcessDied, match="-9"):
        await anext(counting(path))


async def test_cancelling_ends_the_reading_process(
    endless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawn = asyncio.create_subprocess_exec
    spawned: list[asyncio.subprocess.Process] = []

    async def spawn_and_note(*args: str, **more: object) -> asyncio.subprocess.Process:
        spawned.append(await spawn(*args, **more))  # type: ignore[arg-type]
        return spawned[0]

    async def read() -> None:
        async with aclosing(counting(endless)) as lists:
            async for _ in lists:
                pass

    monkeypatch.setattr(reading_process.asyncio, "create_subprocess_exec", spawn_and_note)
    reading = asyncio.create_task(read())
    # opening the write end blocks until the process opens the read end
    writing = await asyncio.to_thread(os.open, endless, os.O_WRONLY)
    assert spawned[0].returncode is None
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert spawned[0].returncode == -signal.SIGKILL
    os.close(writing)


PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", sys.argv[1], str(os.getpid())], stdin=0)
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal is Linux's")
def test_the_reading_process_dies_with_its_parent(endless: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
    ) as parent:
        assert parent.stdin
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.stdin.write(
            msgspec.json.encode(Order(ClinVar.file.reader, [str(endless)], [])) + b"\n"
        )
        parent.stdin.flush()
        with endless.open("wb"):  # blocks until the child has opened it
            ended = os.pidfd_open(child)
            parent.kill()
            assert select.select([ended], [], [], scaled(WAIT))[0]
            os.close(ended)


def test_the_reading_process_stops_when_its_input_closes(endless: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", CHILD, str(os.getpid())], stdin=subprocess.PIPE, env=ENVIRONMENT
    ) as child:
        assert child.stdin
        child.stdin.write(
            msgspec.json.encode(Order(ClinVar.file.reader, [str(endless)], [])) + b"\n"
        )
        child.stdin.flush()
        with endless.open("wb"):
            child.stdin.close()
            assert child.wait(scaled(WAIT)) == 1


def test_a_reading_process_without_its_parent_does_not_start() -> None:
    child = subprocess.run(
        [sys.executable, "-m", CHILD, "1"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=ENVIRONMENT,
        check=False,
    )
    assert child.returncode == 1
    assert b"the parent process has already ended" in child.stderr
