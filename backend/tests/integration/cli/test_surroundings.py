"""A host that is not as a worker, the API or an import needs it: named, without a traceback."""

from pathlib import Path

from tests.forked import Programs

API = ("app.cli", "api", "--port", "0")
WORKER = ("arq", "app.core.arq_worker.WorkerSettings")
IMPORT = ("app.cli", "genes-import", "demo/twenty_genes.tsv")


def test_an_error_about_the_surroundings_names_the_variable_without_a_traceback(
    cli, programs: Programs, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    folder = str(tmp_path / "file" / "cache")
    for words in (API, WORKER, IMPORT):
        for name, value, error in (
            ("ALL_PROXY", "socks5://proxy.example:1080", "`unset ALL_PROXY`"),
            ("CACHE_DIR", folder, f"CACHE_DIR cannot be used: {folder}: Not a directory"),
        ):
            env = cli.env | {"USE_ARQ_WORKER": str(words is not API), name: value}
            done = programs.run(words, env)
            assert done.returncode not in {0, 2}, words
            assert error in done.stderr
            assert "Traceback" not in done.stderr
