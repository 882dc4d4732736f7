"""A source is one module: only it, its imitation and the registries name it."""

import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.annotation.sources import SOURCES
from app.annotation.sources.base import Source
from sandbox.registry import SERVICES
from tests.conftest import REPOSITORY

BACKEND = REPOSITORY / "backend"

ALLOWED = {
    "app/annotation/sources": "the sources and their registry",
    "sandbox/registry.py": "the registry of the imitations",
    "sandbox/known.py": "the catalogue's identifiers of well-known genes",
    # genes are identified by HGNC ids, and HGNC provides the list of all genes
    "app/annotation/genes": "gene lists are resolved by HGNC's records",
    # the documentation of queries uses fields and sources as examples
    "app/annotation/data/": "examples, the events of identifiers, and scopes as at MyGene.info",
    "app/api/genes.py": "examples",
    "app/api/changes.py": "examples",
    "app/api/export.py": "examples",
    "app/api/parameters.py": "examples",
    "app/cli/export.py": "examples",
    "app/annotation/refresh/requests.py": "the remedy of an empty gene list",
    "app/cli/genes.py": "`genes-import hgnc`",
    "reference/readers.py": "`genes-import hgnc` reads a setting",
    "app/db/tables/": "the comments of the identifiers' columns",
    # the catalogue distributes variants over genes like ClinVar
    "sandbox/__main__.py": "`--skew clinvar`",
    "sandbox/options.py": "`skew`",
    "sandbox/spread.py": "`skew`",
}
EXAMPLES = re.compile(
    r'\{"sources": \["clinvar"\]|clinvar\.germline\.pathogenic'
    r"|Ensembl or Entrez ids|ensembl id changed"
)
"""The request and the field that the documentation shows, and identifiers of genes."""

ORDINARY_WORDS = {"string"}
"""Names of sources that code uses with another meaning. Their classes and settings are unique."""

STARTS = {
    tokenize.ENCODING, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.NL
}  # fmt: skip
"""Tokens after which a statement begins."""

QUOTED = re.compile(r"""\w*["']""")


def names(source: type[Source]) -> set[str]:
    """The identifiers of a source in code: its name, class, settings and hosts."""
    info = source.info
    found = {info.name, source.__name__} - ORDINARY_WORDS
    for host in info.hosts:
        found |= {host.setting, host.setting.upper(), *filter(None, [host.rate_setting])}
        found.add(host.name)
    return found


def imitation(source: type[Source]) -> set[str]:
    settings = {host.setting.upper() for host in source.info.hosts}
    services = [each for each in SERVICES if settings & set(each.addresses)]
    return {each.__module__.split(".")[1] for each in services}


def code(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file, without comments and docstrings."""
    with file.open("rb") as text:
        tokens = list(tokenize.tokenize(text.readline))
    before = tokenize.NEWLINE
    for token in tokens:
        statement = before in {
            tokenize.ENCODING,
            tokenize.NEWLINE,
            tokenize.INDENT,
            tokenize.DEDENT,
            tokenize.NL,
        }
        docstring = token.type == tokenize.STRING and statement and token.string.endswith('"""')
        if token.type in {tokenize.NAME, tokenize.STRING} and not docstring:
            yield token.start[0], token.string
        # the encoding comes before a module's docstring
        if token.type not in {tokenize.COMMENT, tokenize.ENCODING}:
            before = token.type


def lines() -> list[tuple[str, int, str]]:
    """The lines that must not name a source. Content of an imitation may name other databases."""
    found = []
    imitations = tuple(f"sandbox/{name}" for each in SOURCES.values() for name in imitation(each))
    for package in ("app", "sandbox", "reference"):
        for file in sorted((BACKEND / package).rglob("*.py")):
            name = str(file.relative_to(BACKEND))
            if not any(name.startswith(place) for place in ALLOWED) and "migrations" not in name:
                for number, text in code(file):
                    if not (name.startswith(imitations) and QUOTED.match(text)):
                        found.append((name, number, text))
    return found


def test_nothing_else_names_a_source() -> None:
    # one test, so that one process reads the code
    read = [(file, number, EXAMPLES.sub("", text)) for file, number, text in lines()]
    for source in SOURCES.values():
        words = "|".join(sorted(map(re.escape, names(source))))
        # `hgnc_id` and `ensembl_gene_id` are identifiers of genes
        named = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])")
        own = tuple(f"sandbox/{module}" for module in imitation(source))
        found = [
            f"{file}:{number}: {text}"
            for file, number, text in read
            if not file.startswith(own) and named.search(text)
        ]
        assert found == [], source.info.name


def test_the_readme_names_every_source() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert f"{len(SOURCES)} public sources" in readme
    assert [name for name in SOURCES if name not in readme.lower()] == []


@pytest.mark.parametrize("source", SOURCES)
def test_every_host_of_a_source_has_a_probe_and_an_imitation(source: str) -> None:
    hosts = {host.setting for host in SOURCES[source].info.hosts}
    addresses = {name.lower() for each in SERVICES for name in each.addresses}
    assert {probe.host.setting for probe in SOURCES[source].probes} == hosts
    assert hosts <= addresses
