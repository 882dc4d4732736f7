"""Whether this installation has Redis for itself, and one that arq can use."""

from app.doctor.check import Finding, check, failed, ok
from app.doctor.checks.postgres import rows
from app.doctor.checks.redis.server import info, where
from app.doctor.context import Context, Unavailable


@check(
    "redis.cluster",
    "Redis is no Redis Cluster",
    symptom="The worker does not start: `this is a Redis Cluster`.",
    why="The keys of a job are changed together, and a Redis Cluster keeps them on several servers:"
    " no run would ever start.",
    needs=("redis.reachable",),
    remedy="${EDITOR:-vi} .env",
)
async def cluster(context: Context) -> Finding:
    """Look at the mode."""
    mode = str((await info(context)).get("redis_mode", "standalone"))
    if mode != "cluster":
        return ok(f"mode {mode}")
    return failed(
        f"Redis at {where(context)} is a Redis Cluster",
        required="REDIS_URL names one server, or several under Sentinel",
        found="redis_mode cluster",
    )


@check(
    "redis.shared",
    "this installation has the Redis database for itself",
    symptom="The worker does not start, or logs that another installation uses this Redis database;"
    " jobs of clients become runs of the wrong installation.",
    why="arq's keys carry no name: two installations pick up each other's bells and jobs, so that"
    " runs start late, and what a client asks for may land in the wrong one.",
    needs=("redis.reachable", "database.migrated"),
    remedy="${EDITOR:-vi} .env",
)
async def shared(context: Context) -> Finding:
    """Compare the mark that the workers keep in Redis with the one of this installation."""
    from psycopg.errors import InsufficientPrivilege
    from redis.exceptions import ResponseError

    from app.core.redis.installation import IDENTITY, KEY, read

    try:
        raw = await context.redis().get(KEY)
    except ResponseError as error:
        raise Unavailable(f"the mark of the installation cannot be read: {error}") from None
    try:
        mine = (await rows(context, IDENTITY))[0]
    except InsufficientPrivilege:
        raise Unavailable("PostgreSQL does not tell which server it is") from None
    there = read(raw)
    if there is None:
        return ok("no worker has its mark there")
    if there.id == mine.id:
        return ok(f"it is that of the PostgreSQL database {mine.database}")
    return failed(
        f"another installation uses the Redis database at {where(context)}",
        required="a Redis database for each installation, as in REDIS_URL=redis://host:6379/1, or a"
        " server; then restart the workers and the API",
        found=str(there),
    )


CHECKS = (cluster, shared)
