"""A database in which answers and genes changed at known times, always at noon."""

import json
import shlex
from collections.abc import Iterator
from typing import Any

from tests.conftest import REPOSITORY
from tests.integration.conftest import Query
from tests.integration.docs.fences import fences

RUN = 7
"""The run that changed the answers in February."""

_GENES = "UPDATE genes SET created_at = '2026-01-05T12:00Z'"

_RUN = """
INSERT INTO runs (id, task, mode, state, created_at, started_at, finished_at) OVERRIDING
  SYSTEM VALUE VALUES (7, 'run_annotation_pipeline_task', 'full', 'succeeded',
  '2026-02-10T12:00Z', '2026-02-10T12:00Z', '2026-02-11T12:00Z')
"""

_SNAPSHOTS = """
INSERT INTO snapshots (name, at, by, manifest) VALUES ('january', '2026-01-31T12:00Z', 'Ada', '{}'),
  ('february', '2026-02-28T12:00Z', 'Ada', '{}')
"""

_LIST = """
WITH listed AS (INSERT INTO gene_lists (name, by) VALUES ('kidney', 'Ada') RETURNING id)
INSERT INTO gene_list_genes (list_id, hgnc_id) SELECT id, 'HGNC:9008' FROM listed
"""

_RENAMED = """
INSERT INTO gene_events (gene_id, at, event, detail, run_id)
SELECT id, '2026-02-12T12:00Z', 'renamed', '{"from": "C1orf112", "to": "FIRRM"}', 7 FROM genes
WHERE symbol = 'C1orf112'
"""

_FORMER = """
INSERT INTO annotation_history (gene_id, source, state, data, release, valid_from, valid_to, run_id,
  changed_run_id, origin_ids, origin_since)
SELECT id, %s, %s, %s, 'R1', %s, %s, %s, 1, '{}', '{}' FROM genes WHERE symbol = %s
"""

_PRESENT = """
INSERT INTO annotations (gene_id, source, state, data, release, valid_from, changed_run_id,
  checked_state)
SELECT id, %s, %s, %s, 'R2', %s, %s, 'found' FROM genes WHERE symbol = %s
"""

CLINVAR = (
    {"germline": {"pathogenic": 512, "conflicting": 41}, "last_evaluated": "2025-12-01"},
    {"germline": {"pathogenic": 519, "conflicting": 40}, "last_evaluated": "2026-01-20"},
)


def commands_of_the_page(program: str) -> Iterator[list[str]]:
    """Yield the arguments of a program in the blocks of the page about changes."""
    page = "docs/how-to/follow-changes.md"
    for block in fences((REPOSITORY / page).read_text(), page):
        for line in block.text.splitlines() if block.language == "sh" else ():
            called, *arguments = shlex.split(line)
            if called == program:
                yield arguments


def change(query: Query) -> None:
    """Write the history of three genes: PKD1, TTN, and C1orf112 that became FIRRM."""
    for statement in (_GENES, _RUN, _SNAPSHOTS, _LIST, _RENAMED):
        query(statement)
    _answers(query, "PKD1", "clinvar", ("found", CLINVAR[0]), ("found", CLINVAR[1]))
    _answers(query, "PKD1", "pubmed", ("found", {"articles": 1}), ("found", {"articles": 2}))
    terms = {"terms": {"HP:0000107": "Renal cyst"}}
    _answers(query, "TTN", "hpo", ("absent", None), ("found", terms))
    # it changed and changed back
    gencc = {"strongest_classification": "Strong"}, {"strongest_classification": "Limited"}
    query(_FORMER, *_former("gencc", gencc[0], "2026-01-10T12:00Z", "2026-02-01T12:00Z", 6), "TTN")
    query(_FORMER, *_former("gencc", gencc[1], "2026-02-01T12:00Z", "2026-02-20T12:00Z", 8), "TTN")
    query(_PRESENT, "gencc", "found", json.dumps(gencc[0]), "2026-02-20T12:00Z", 8, "TTN")
    query(_PRESENT, "ensembl", "found", "{}", "2026-02-15T12:00Z", RUN, "TTN")
    query("UPDATE genes SET symbol = 'FIRRM' WHERE symbol = 'C1orf112'")


def _answers(query: Query, symbol: str, source: str, old: Any, new: Any) -> None:
    times = "2026-01-10T12:00Z", "2026-02-10T12:00Z"
    old_data, new_data = (None if each is None else json.dumps(each) for _, each in (old, new))
    query(_FORMER, source, old[0], old_data, *times, RUN, symbol)
    query(_PRESENT, source, new[0], new_data, times[1], RUN, symbol)


def _former(source: str, data: Any, start: str, end: str, run: int) -> tuple[Any, ...]:
    return source, "found", json.dumps(data), start, end, run
