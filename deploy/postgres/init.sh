#!/bin/sh
# PostgreSQL's image runs this once, after it has created an empty database. The project's role owns
# that database and is not a superuser. The superuser can log in only through the container's socket.
set -eu

psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv password POSTGRES_PASSWORD
\getenv database POSTGRES_DB
CREATE ROLE kidney_genetics LOGIN PASSWORD :'password';
ALTER DATABASE :"database" OWNER TO kidney_genetics;
ALTER ROLE CURRENT_USER PASSWORD NULL;
SQL
