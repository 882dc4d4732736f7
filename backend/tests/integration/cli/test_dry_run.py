import json
from pathlib import Path

import redis

from app.core.redis.rate_limits import KEY
from harness.timing import WAIT, scaled
from sandbox.options import Options
from sandbox.server import Sandbox


def test_a_dry_run_shows_what_a_run_would_do_and_takes_its_requests_from_the_workers_budget(
    cli, genes, query, redis_url: str, sandbox_cache: Path
) -> None:
    with Sandbox(Options(genes=60, limits="off", cache_dir=sandbox_cache)) as sandbox:
        command = ("annotate", "ensembl", "--dry-run", "--json")
        process = cli.process(*command, **sandbox.settings)
        out, err = process.communicate(timeout=scaled(WAIT))
    assert (process.returncode, err) == (0, "")
    (found,) = json.loads(out)
    assert (found["source"], found["current"], found["stored"]) == ("ensembl", "115", None)
    assert found["due"] == 3
    assert query("SELECT id FROM runs") == []
    with redis.Redis.from_url(redis_url) as client:
        assert client.exists(KEY.format("ensembl"))
