"""Explains why the search_path does not lead to the tables."""

from typing import Any

from app.core.errors import UserError
from app.core.postgres.refusals import Refused, grants, identifier
from app.db import address

PLACE = """
WITH tables AS (
  SELECT n.nspname::text AS name FROM pg_class v JOIN pg_namespace n ON n.oid = v.relnamespace
  WHERE v.relname = 'alembic_version' AND EXISTS (
    SELECT FROM pg_class r WHERE r.relname = 'run_sources' AND r.relnamespace = n.oid))
SELECT current_schema()::text AS schema, current_setting('search_path') AS search_path,
  current_user::text AS role, current_database()::text AS database,
  (SELECT pg_get_userbyid(datdba)::text FROM pg_database
   WHERE datname = current_database()) AS owner,
  EXISTS (SELECT FROM tables WHERE name = current_schema()) AS here,
  ARRAY(SELECT name FROM tables WHERE name IS DISTINCT FROM current_schema() ORDER BY 1) AS others,
  ARRAY(SELECT nspname::text FROM pg_namespace
    WHERE NOT has_schema_privilege(oid, 'USAGE') AND left(nspname, 3) <> 'pg_') AS barred
"""
"""Returns one row:

- ``schema``: the schema to which the search_path leads; null if there is none
- ``search_path``, ``role``, ``database``, and the ``owner`` of the database
- ``here``: whether that schema contains the tables of this project
- ``others``: other schemas with tables of this project
- ``barred``: schemas that the role may not use"""


def leads_elsewhere(place: Any, dsn: str) -> UserError | None:
    """Explain why new tables would not be created in the first schema of the search_path.

    Args:
        place: the row of :data:`PLACE`.
        dsn: the address that was used.

    Returns:
        The error; None if new tables would be created in that schema.
    """
    first = _first(place)
    if place.schema in {first, place.role}:
        return None
    exists = first in place.barred
    if exists:
        statement = grants(first, place.role, make_tables=first not in place.others)
    else:
        statement = f"CREATE SCHEMA {identifier(first)} AUTHORIZATION {identifier(place.role)}"
    why = f"{place.role} may not use it" if exists else "it does not exist"
    return Refused(
        f"search_path ({place.search_path}) leads to schema {first}, but {why},"
        f" at {address.where(dsn)}",
        allowed="a schema that exists, and a role that may use it",
        statement=statement,
        who=place.owner,
    )


def misplaced(place: Any, dsn: str) -> UserError | None:
    """Explain why the tables are not in the schema to which the search_path leads.

    Args:
        place: the row of :data:`PLACE`.
        dsn: the address that was used.

    Returns:
        The error; None if there are no tables anywhere.
    """
    elsewhere = leads_elsewhere(place, dsn)
    # public is the default, so it is intended only if it contains the tables
    meant = _first(place) != "public" or "public" in place.others
    if not place.others or (elsewhere is not None and meant):
        return elsewhere
    there = place.others[0]
    return Refused(
        f"the tables are in schema {', '.join(place.others)}, but search_path"
        f" ({place.search_path}) leads to {place.schema or 'none'}, at {address.where(dsn)}",
        allowed=f"?options=-csearch_path%3D{there} in DATABASE_URL, or the search_path of the role;"
        " migrating now would create a second installation where search_path leads",
        statement=f"ALTER ROLE {identifier(place.role)} IN DATABASE"
        f" {identifier(place.database)} SET search_path = {identifier(there)}",
        who=place.role,
    )


def _first(place: Any) -> str:
    """Return the first schema in the search_path, apart from the role's own."""
    for schema in place.search_path.split(","):
        name = schema.strip()
        if name not in {"", '""', '"$user"', "$user"}:
            return str(name.strip('"') if name.startswith('"') else name.lower())
    return "public"
