"""No page interprets text from the database as markup."""

import contextlib
import json
import re
from typing import Any

import psycopg

from tests.integration.conftest import Query
from tests.integration.web.answers import statements
from tests.integration.web.conftest import ADMIN, log_in
from tests.integration.web.routes import FILES, MARKUP, filled, is_static

KEPT = {
    *(("alembic_version", "version_num"), ("genes", "hgnc_id"), ("own_tables", "name")),
    *(("schedules", each) for each in ("name", "zone", "cron")),
    *(("annotations", "source"), ("annotation_history", "source"), ("own_tables", "keys")),
    ("run_events", "event"),
}
"""Columns that keep their value, because pages would show less without it. Their values are
validated on input, or another test changes them."""

TEXTS = """
SELECT table_name AS "table", column_name AS "column", data_type AS type
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
  AND (data_type IN ('text', 'character varying', 'jsonb') OR udt_name = '_text')
"""

STORED = """
INSERT INTO workers (kind, host, pid, version, session, heartbeat_timeout)
  VALUES ('arq', 'h', 1, '1', 's', 30);
INSERT INTO run_sources (run_id, source, position, state, active, error, held)
  VALUES (1, 'hgnc', 1, 'failed', false, 'e',
    '{"reason": "r", "genes": 1, "examples": ["x"], "files": []}');
INSERT INTO attempt_logs (run_id, epoch, number, at, level, text)
  VALUES (1, 1, 1, now(), 'info', 't');
INSERT INTO schedule_ticks (schedule_id, tick, outcome, reason, actor)
  SELECT id, now(), 'refused', 'r', 'a' FROM schedules;
INSERT INTO notifications (message_id, kind, severity, at, title, text, detail)
  VALUES (gen_random_uuid(), 'k', 'warning', now(), 't', 't', '{}');
INSERT INTO notification_deliveries (notification_id, channel, state, attempts, error, due_at)
  SELECT id, 'webhook', 'refused', 3, 'e', now() FROM notifications;
INSERT INTO gene_lists (name, note, by) VALUES ('mine', 'n', 'b');
INSERT INTO gene_list_genes (list_id, hgnc_id) SELECT l.id, g.hgnc_id FROM gene_lists l, genes g;
INSERT INTO snapshots (name, at, note, by, manifest) VALUES ('spring', now(), 'n', 'b', '{}');
INSERT INTO own_tables (name, title, licence, release, file_name, digest, bytes, rows, genes,
  columns, keys, added_by) VALUES ('own', 't', 'l', '1', 'f', 'd', 1, 1, 1, '{"URL": "text"}',
  '{hgnc_id}', 'b');
INSERT INTO annotations (gene_id, source, state, data, fetched_at, checked_state, checked_at)
  SELECT id, 'own', 'found', '{"rows": [{"URL": "u"}]}', now(), 'found', now() FROM genes;
INSERT INTO annotation_history (gene_id, source, state, data, valid_from, valid_to, origin_ids,
  origin_since) SELECT gene_id, source, state, data, now() - interval '2 days',
  now() - interval '1 day', '{}', '{}' FROM annotations;
INSERT INTO gene_events (gene_id, event, detail)
  SELECT id, 'renamed', '{"from": "a", "to": "b"}' FROM genes
"""
"""A row of each table that a page shows, besides the answers about a gene."""


def _marked(value: Any) -> Any:
    """Return JSON with markup in all of its texts."""
    if isinstance(value, dict):
        return {name: each if name == "worker" else _marked(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_marked(each) for each in value]
    return f"javascript:{MARKUP}" if isinstance(value, str) else value


def _mark(query: Query, table: str, column: str, kind: str) -> bool:
    """Store markup in a column if the database allows it. Return whether it was stored."""
    with contextlib.suppress(psycopg.errors.IntegrityError, psycopg.errors.RaiseException):
        if kind == "jsonb":
            rows = query(f"SELECT ctid::text AS id, {column} AS data FROM {table}")
            for row in rows:
                data = json.dumps(_marked(row["data"]))
                query(f"UPDATE {table} SET {column} = %s WHERE ctid = %s::tid", data, row["id"])
            return bool(rows)
        value = "ARRAY[%s]" if kind == "ARRAY" else f"%s || coalesce({column}, '')"
        return bool(query(f"UPDATE {table} SET {column} = {value} RETURNING 1", MARKUP))
    return False


async def test_markup_in_any_text_of_the_database_is_shown_as_text(browser, query) -> None:
    for statement in STORED.split(";\n"):
        query(statement)
    for statement, values in statements("PKD1"):
        named = re.findall(r"%\((\w+)\)s", statement)
        query(re.sub(r"%\(\w+\)s", "%s", statement), *(values[name] for name in named))
    marked = [
        each
        for each in query(TEXTS)
        if (each["table"], each["column"]) not in KEPT
        and _mark(query, each["table"], each["column"], each["type"])
    ]
    await log_in(browser, ADMIN)
    faults, seen = [], 0
    others = ("/sources/own", "/genes/HGNC:9008", "/genes/HGNC:9008/history")
    for path in (*browser.parameters, *others):
        if is_static(path) or path in FILES:
            continue
        answer = await browser.get(filled(path, "1"))
        seen += answer.text.count("&lt;script&gt;alert(1)")
        raw = ("<script>alert", '" onmouseover', 'href="javascript', "\u202e")
        faults += [(path, each) for each in raw if each in answer.text]
        if answer.status_code >= 500:
            faults.append((path, answer.text))

    assert len(marked) > 50
    assert seen > 100
    assert faults == []
