"""Whether a session is what the address says, and the database can hold every text."""

import os
import re

from app.doctor.check import Finding, check, failed, ok
from app.doctor.checks.commands import psql
from app.doctor.checks.postgres import dsn, row, rows
from app.doctor.context import Context

_OPTION = re.compile(r"(?:-c\s*|--)([\w.-]+)=((?:\\.|[^\s\\])*)")


@check(
    "database.encoding",
    "the database can hold UTF-8",
    symptom="An answer is unknown, and the reason says that a character has no equivalent.",
    why="Names of conditions and of authors have characters that other encodings do not have: such"
    " an answer cannot be stored, or not be compared.",
    needs=("database.reachable",),
)
async def encoding(context: Context) -> Finding:
    """Ask for the encoding of the database, which is given to it when it is made."""
    found = await row(context, "SELECT current_setting('server_encoding') AS encoding")
    if found.encoding == "UTF8":
        return ok("its encoding is UTF8")
    return failed(
        f"the database has the encoding {found.encoding}",
        required="UTF8",
        found=found.encoding,
        remedy="just backup utf8.dump\n"
        "${EDITOR:-vi} .env  # DATABASE_URL: a name that is not there yet\n"
        "just restore utf8.dump",
    )


@check(
    "database.options",
    "the options of DATABASE_URL reach PostgreSQL",
    symptom="The tables are in another schema than DATABASE_URL says.",
    why="PgBouncer leaves out the options that it lets in: with another search_path, another"
    " installation's tables are read and written, or new ones are made in public.",
    needs=("database.reachable",),
)
async def options(context: Context) -> Finding:
    """Compare what DATABASE_URL or PGOPTIONS sets with what is set."""
    from app.core.postgres.refusals import identifier
    from app.db import address

    given = address.parse(dsn(context)).get("options", os.environ.get("PGOPTIONS", ""))
    meant = {
        name.replace("-", "_"): re.sub(r"\\(.)", r"\1", value)
        for name, value in _OPTION.findall(given)
    }
    if not meant:
        return ok("none are set")
    found = await rows(
        context,
        "SELECT name, current_setting(name) AS value, current_user AS role,"
        " current_database() AS database FROM pg_settings"
        " WHERE name = ANY(%(names)s) AND source <> 'client' ORDER BY name",
        {"names": list(meant)},
    )
    lost = [each for each in found if each.value != meant[each.name]]
    if not lost:
        return ok(", ".join(meant))
    where = f"ROLE {identifier(lost[0].role)} IN DATABASE {identifier(lost[0].database)}"
    return failed(
        f"options that do not reach PostgreSQL: {', '.join(each.name for each in lost)}",
        required="; ".join(f"{each.name} = {meant[each.name]}" for each in lost)
        + ", set for the role; restart PgBouncer then, whose connections keep what they have",
        found="; ".join(f"{each.name} = {each.value}" for each in lost),
        remedy="\n".join(
            psql(context, f"ALTER {where} SET {each.name} = {_value(meant[each.name])}")
            for each in lost
        ),
    )


def _value(text: str) -> str:
    """Write a value for SQL; a list of schemas is one of names."""
    from app.core.postgres.refusals import identifier

    if re.fullmatch(r"[\w$\", ]+", text) and not text[0].isdigit():
        return ", ".join(identifier(each.strip().strip('"')) for each in text.split(","))
    return "'" + text.replace("'", "''") + "'"


CHECKS = (encoding, options)
