"""Generates and changes answers of all sources without asking any source.

The answers have the declared fields with random values. Lists and maps have as many elements as
those of well-studied genes, so that the sizes are not too small.
"""

import random
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import psycopg

from app.annotation.data.fields import Field, fields_of
from app.annotation.sources import SOURCES

_TEMPLATES = 200
"""The number of different answers for each source."""

_ALTERED = 0.05
"""The share of values that differ after a change."""

_ELEMENTS = 6
_TEXT = 4
_KEYS = {"gtex.tissues_tpm": 54, "hpo.terms": 40, "hpo.diseases": 2, "uniprot.entries": 1}
_WORDS = ("renal", "cystic", "disease", "variant", "membrane", "protein", "kinase", "type")

RUN = 2
"""The run that changed the answers."""

_RUNS = """
INSERT INTO runs (task, mode, state)
SELECT 'run_annotation_pipeline_task', 'full', 'succeeded' FROM generate_series(1, 2)
"""

_GENES = """
INSERT INTO genes (hgnc_id, symbol, ensembl_gene_id, entrez_id, created_at)
SELECT 'HGNC:' || n, 'GENE' || n, 'ENSG' || lpad(n::text, 11, '0'), n::text,
  now() - interval '60 days'
FROM generate_series(1, %s) n
"""

_ANNOTATIONS = """
INSERT INTO annotations (gene_id, source, state, data, release, fetched_at, checked_state,
  checked_at, valid_from, changed_run_id)
SELECT g.id, %(source)s,
  CASE WHEN g.id %% 10 = 3 THEN 'absent' ELSE 'found' END,
  CASE WHEN g.id %% 10 = 3 THEN NULL ELSE (%(data)s::text[])[1 + g.id %% %(n)s]::jsonb END,
  '2026-01', now() - interval '30 days', 'found', now() - interval '30 days',
  now() - interval '30 days', 1
FROM genes g ORDER BY g.id
"""

_HISTORY = """
WITH former AS (
  INSERT INTO annotation_history (gene_id, source, state, data, release, valid_from, valid_to,
    run_id, changed_run_id, fetched_at, fetched_run_id, origin_ids, origin_since)
  SELECT gene_id, source, state, data, release, valid_from, now(), 2, changed_run_id, fetched_at,
    fetched_run_id, origin_ids, origin_since
  FROM annotations WHERE source = %(source)s AND gene_id %% %(every)s = 0
  RETURNING gene_id
)
UPDATE annotations a SET state = 'found', valid_from = now(), changed_run_id = 2,
  release = '2026-02', data = (%(data)s::text[])[1 + a.gene_id %% %(n)s]::jsonb
FROM former f WHERE f.gene_id = a.gene_id AND a.source = %(source)s
"""


def fill(dsn: str, genes: int) -> None:
    """Insert genes, and a 30 days old answer of each source for each gene."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_GENES, (genes,))
        connection.execute(_RUNS)
        for source in SOURCES:
            values = {"source": source, "data": _templates(source), "n": _TEMPLATES}
            connection.execute(_ANNOTATIONS, values)
        connection.execute("VACUUM ANALYZE")


def change(dsn: str, share: float) -> None:
    """Change the answers of all sources for a share of the genes, with history."""
    every = round(1 / share)
    with psycopg.connect(dsn, autocommit=True) as connection:
        for source in SOURCES:
            data = _templates(source, altered=True)
            values = {"source": source, "data": data, "n": _TEMPLATES, "every": every}
            connection.execute(_HISTORY, values)
        connection.execute("VACUUM ANALYZE")


def _templates(source: str, *, altered: bool = False) -> list[str]:
    """Return answers. Altered ones differ in some values."""
    made = []
    for number in range(_TEMPLATES):
        chance = random.Random(f"{source} {number}")  # noqa: S311 - not for secrets
        other = None
        if altered:
            other = random.Random(f"{source} {number} altered")  # noqa: S311 - not for secrets
        data = _object(fields_of(source).values(), _Values(chance, other))
        made.append(msgspec.json.encode(data).decode())
    return made


class _Values:
    def __init__(self, chance: random.Random, other: random.Random | None) -> None:
        self._chance = chance
        self._other = other

    def number(self, most: int) -> int:
        value = self._chance.randrange(most)
        if self._other is not None and self._other.random() < _ALTERED:
            return self._other.randrange(most)
        return value

    def text(self) -> str:
        first = self.number(len(_WORDS))
        return " ".join((*_WORDS[first:], *_WORDS[:first])[:_TEXT])

    def choice(self, values: Sequence[str]) -> str:
        return values[self.number(len(values))]


def _object(fields: Iterable[Field], values: _Values, below: int = 0) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for field in fields:
        into = made
        for name in field.path[below:-1]:
            into = into.setdefault(name, {})
        into[field.path[-1]] = _value(field, values)
    return made


def _value(field: Field, values: _Values) -> Any:
    if field.kind == "list":
        number = _KEYS.get(field.name, _ELEMENTS)
        if field.element == "object":
            below = len(field.path)
            return [
                _object(field.parts, values, below) | dict.fromkeys(field.identity, place)
                for place in range(number)
            ]
        return [_simple(field.element, field, values) for _ in range(number)]
    if field.kind == "map":
        number = _KEYS.get(field.name, _ELEMENTS)
        return {f"HP:{place:07}": _simple(field.element, field, values) for place in range(number)}
    return _simple(field.kind, field, values)


def _simple(kind: str | None, field: Field, values: _Values) -> Any:
    match kind:
        case "integer":
            return values.number(1_000)
        case "number":
            return values.number(1_000_000) / 1_000
        case "boolean":
            return values.number(2) == 1
        case "list":
            return [values.text()]
        case _:
            return values.choice(field.values) if field.values else values.text()
