"""The job engine. It knows runs, and not genes.

A run is what somebody asked for. An attempt is one worker's execution of a run.

- `runs`: what a run is, every statement that changes it, and what is shown of it.
- `workers`: what executes runs: claims, heartbeats, and recovery from dead workers.
- `arq`: how workers are told that a run is ready. No other room imports arq.
- `redis`: the connection to Redis, and the request budgets that live there.
- `postgres`: whether the database can be used, and backups.
- `process`: what belongs to any process: logs, secrets, signals, systemd.

`arq_worker` puts these together for ``arq app.core.arq_worker.WorkerSettings``, and
:mod:`app.main` for the API. They hand the engine the function that does the work of a run.
"""
