"""PostgreSQL: the tables, the migrations and the engine that connects.

`tables` describe the schema, and `migrations` with `migrate` and `revisions` create it. `address`
reads `DATABASE_URL`, `connection` and `engine` connect, and `locks` takes advisory locks.
`sqlstate` classifies errors. `bounds`, `text` and `times` are what columns can store.
"""
