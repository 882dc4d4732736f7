from alembic import context
from sqlalchemy import text

from app.db.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # or a version that another schema of the search path has would be taken for this one's
    version_table_schema=connection.scalar(text("SELECT current_schema()")),
)
context.run_migrations()
