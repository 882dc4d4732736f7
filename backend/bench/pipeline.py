"""Measures the whole pipeline with a sandbox without rate limits: genes per second and memory."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from demo.stage import Stage


def measure(genes: int, *, bulk: bool) -> dict[str, Any]:
    """Annotate ``genes`` genes from all sources with one worker.

    Returns:
        The seconds from the start of the run to its end, and the peak memory of the worker in MB.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        stage = Stage(Path(folder), live=False, genes=genes)
        with stage:
            stage.env["CLINVAR_BULK_THRESHOLD"] = "0" if bulk else "1000000"
            stage.output("migrate")
            stage.output("genes-import", "hgnc")
            worker = stage.start_worker()
            stage.output("annotate", "--wait")
            peak = _peak_mb(worker.pid)
            with psycopg.connect(stage.database_url, row_factory=dict_row) as connection:
                run = connection.execute(
                    "SELECT extract(epoch FROM finished_at - started_at)::float AS seconds,"
                    " (SELECT sum(found + absent) FROM run_sources) AS answers FROM runs"
                ).fetchone()
    assert run is not None
    assert run["answers"] == 3 * genes
    return {"genes": genes, "bulk": bulk, "seconds": run["seconds"], "peak_mb": peak}


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Print a row for each measurement."""
    parser = argparse.ArgumentParser(prog="bench pipeline", description=__doc__)
    parser.add_argument("--genes", type=int, nargs="+", default=[1_000, 2_000, 5_000, 20_000])
    parser.add_argument("--clinvar", choices=["api", "bulk", "both"], default="both")
    arguments = parser.parse_args()
    ways = {"api": [False], "bulk": [True], "both": [False, True]}[arguments.clinvar]
    print(f"{'clinvar':<8}{'genes':>8}{'seconds':>10}{'genes/s':>10}{'worker MB':>11}")
    for bulk in ways:
        for genes in arguments.genes:
            row = measure(genes, bulk=bulk)
            print(
                f"{'bulk' if bulk else 'api':<8}{genes:>8,}{row['seconds']:>10.1f}"
                f"{genes / row['seconds']:>10.0f}{row['peak_mb']:>11.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
