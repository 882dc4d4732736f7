from alembic.script import ScriptDirectory

from app.db.migrate import alembic_config
from app.db.revisions import HEAD, REVISIONS


def test_the_versions_read_from_the_file_names_are_those_that_alembic_finds_in_the_files() -> None:
    known = ScriptDirectory.from_config(alembic_config())

    assert known.get_current_head() == HEAD
    assert tuple(each.revision for each in known.walk_revisions())[::-1] == REVISIONS
