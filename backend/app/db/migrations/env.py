from alembic import context
from sqlalchemy import text

from app.db.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # otherwise Alembic might read the version of another schema in the search path
    version_table_schema=connection.scalar(text("SELECT current_schema()")),
)
context.run_migrations()
