"""Properties of every source that only reads files: answers, release, and bad files."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from app.annotation.data.fields import fields_of
from app.annotation.sources import SOURCES
from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.base import ApiSource, FileSource, Source
from app.annotation.sources.connector import Connector
from app.annotation.sources.structure import definitions
from app.annotation.upstream import BadAnswer
from app.core.errors import Wait
from sandbox import Sandbox
from sandbox.faults import REWRITING, BadFault
from sandbox.registry import SERVICES

FILE_SOURCES = [
    name
    for name, source in SOURCES.items()
    if issubclass(source, FileSource) and not issubclass(source, ApiSource)
]

MAX_BYTES = 8_000
"""The data of one gene in the sandbox."""

Connect = Callable[[str], Source]


@pytest.fixture(params=FILE_SOURCES)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def endpoints(name: str, sandbox: Sandbox) -> list[str]:
    """The files of the source in the sandbox."""
    settings = {host.setting.upper() for host in SOURCES[name].info.hosts}
    services = [each.name for each in SERVICES if settings & set(each.addresses)]
    return [file.name for each in services for file in sandbox.services[each].files()]


async def read(source: Source, genes: list[Gene]) -> list[Answer]:
    assert isinstance(source, FileSource)
    return [each async for part in source.bulk(genes) for each in part]


async def test_genes_have_answers_as_the_source_declares_them(
    name: str, source: Connect, genes: list[Gene]
) -> None:
    connected = source(name)
    answers = await read(connected, genes)

    assert [each.gene_id for each in answers] == [gene.id for gene in genes]
    found = [each.data for each in answers if each.state == "found"]
    assert found
    assert any(each.state == "absent" for each in answers)
    structure = SOURCES[name].data
    for data in found:
        again = msgspec.json.encode(msgspec.convert(data, structure))
        assert msgspec.json.decode(again) == data
        assert len(msgspec.json.encode(data)) < MAX_BYTES
    assert all(definitions(structure).values()), "a field has no definition"


async def test_elements_have_unique_identities_and_maps_only_declared_keys(
    name: str, source: Connect, genes: list[Gene]
) -> None:
    fields = fields_of(name).values()
    for answer in await read(source(name), genes):
        for field in fields if answer.data else ():
            found: Any = answer.data
            for part in field.path:
                found = found and found[part]
            if field.identity:
                elements = [tuple(element[each] for each in field.identity) for element in found]
                assert len(elements) == len(set(elements)), (field.name, elements)
            if field.keys:
                assert set(found) <= set(field.keys), field.name


async def test_the_release_is_known_before_the_file_is_read(
    name: str, source: Connect, genes: list[Gene]
) -> None:
    connected = source(name)
    assert isinstance(connected, FileSource)
    current = await connected.current_file()
    await read(connected, genes[:1])

    read_from = connected.file_release
    assert read_from is not None
    assert current.marker == read_from.marker
    if (named := connected.file.release) is not None:
        assert current.name == read_from.name == named
    assert SOURCES[name].info.min_genes > 0


async def test_the_doctors_probes_pass(name: str, connect: Connector) -> None:
    assert all([await probe.ask(connect) for probe in SOURCES[name].probes])


async def test_a_bad_file_is_refused_or_counts_fewer_genes(
    name: str, source: Connect, genes: list[Gene], sandbox: Sandbox, endpoints: list[str]
) -> None:
    good = source(name)
    right = {each.gene_id: each for each in await read(good, genes)}
    found = []
    for kind in ("truncated", "invalid-json", "html", *sorted(REWRITING)):
        for each in endpoints:
            sandbox.clear_faults()
            try:
                sandbox.fault(each, kind)
            except BadFault:
                continue  # only a file with numbers can have zeros in all of them
            bad = source(name)
            try:
                answers = await read(bad, genes)
            except (BadAnswer, Wait):
                continue
            if not any(fault["fired"] for fault in sandbox.faults()):
                continue
            fewer = any(
                now.genes < then.genes for now, then in zip(bad.files, good.files, strict=True)
            )
            wrong = [answer for answer in answers if answer != right[answer.gene_id]]
            if wrong and not fewer:
                found.append(f"{each}, {kind}: {wrong[:3]}")
    sandbox.clear_faults()
    assert found == []
