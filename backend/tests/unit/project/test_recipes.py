import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
MAKE = shutil.which("make")
JUST = Path(sys.executable).parent / "just"

pytestmark = pytest.mark.skipif(MAKE is None, reason="make is not installed")


@pytest.fixture
def checkout(tmp_path):
    """The top-level files of a checkout in a folder with a space, with a just that prints its
    arguments."""
    root = tmp_path / "a check out"
    shutil.copytree(ROOT / "requirements", root / "requirements")
    for name in ("Makefile", "justfile"):
        shutil.copy(ROOT / name, root)
    (root / "backend").mkdir()
    return root


@pytest.fixture
def installed(checkout):
    """A checkout whose .venv has all locks and whose just prints its arguments and LIVE."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    just = checkout / ".venv" / "bin" / "just"
    just.write_text('#!/bin/sh\nprintf "<%s>" "$@" "LIVE=$LIVE"\n')
    just.chmod(0o755)
    for name in ("local", "docs", "lint", "test"):
        (checkout / ".venv" / f"installed-{name}").touch()
    return checkout


def make(root, *words, path=None, **env):
    path = path or os.environ["PATH"]
    environment = {"PATH": path, "HOME": str(root), **env}
    return subprocess.run(
        [MAKE, *words], cwd=root, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("words", "called"),
    [
        ([], "<LIVE=>"),
        (["demo"], "<demo><LIVE=>"),
        (["demo", "LIVE=1"], "<demo><LIVE=1>"),
        (["annotate", "clinvar", "hgnc"], "<annotate><clinvar><hgnc><LIVE=>"),
        (["annotate", "ARGS=clinvar --mode 'a b'"], "<annotate><clinvar><--mode><a b><LIVE=>"),
        (["genes-import", "ARGS='my genes.tsv'"], "<genes-import><my genes.tsv><LIVE=>"),
        (["genes-import", "some/genes.tsv"], "<genes-import><some/genes.tsv><LIVE=>"),
        (["backend"], "<backend><LIVE=>"),
    ],
)
def test_make_passes_its_arguments_to_just_in_one_call(installed, words, called):
    done = make(installed, *words)
    assert done.stdout == called
    assert done.returncode == 0


def test_the_environment_reaches_the_recipe(installed):
    assert make(installed, "demo", LIVE="1").stdout == "<demo><LIVE=1>"


def bin_with(folder, **scripts):
    """A folder for the PATH with the basic tools and these scripts."""
    folder.mkdir()
    for tool in ("sh", "rm", "ln", "ls", "touch", "sed", "cp", "mkdir", "chmod", "uname"):
        (folder / tool).symlink_to(shutil.which(tool))
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_a_python_that_is_too_old_is_reported_in_one_line(checkout, tmp_path):
    old = 'case "$1" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac'
    done = make(checkout, "test", path=bin_with(tmp_path / "bin", python3=old))
    said = done.stderr.splitlines()[0]
    assert "Python 3.11 or later" in said
    assert "Python 3.9.2" in said
    assert "apt install" in said
    assert done.returncode == 2
    assert not (checkout / ".venv").exists()


def test_a_missing_python_is_reported_in_one_line(checkout, tmp_path):
    done = make(checkout, path=bin_with(tmp_path / "bin"))
    assert "Python 3.11 or later is needed, and there is none here" in done.stderr.splitlines()[0]


def test_a_python_without_venv_is_reported_with_the_package_to_install(checkout, tmp_path):
    bare = 'case "$*" in --version) echo Python 3.12.1 ;; *ensurepip*) exit 1 ;; esac'
    done = make(checkout, path=bin_with(tmp_path / "bin", python3=bare))
    assert "Python 3.12.1 here has no venv" in done.stderr.splitlines()[0]
    assert "apt install python3-venv" in done.stderr.splitlines()[0]


def python(uv='echo "$@" >>uv.log', fails_at="nothing"):
    """A Python whose venv has this uv and a just, and whose pip only logs its arguments."""
    return rf"""
case "$*" in
    *"-m venv --clear "*)
        rm -rf .venv
        mkdir -p .venv/bin
        cp "$0" .venv/bin/python
        printf '#!/bin/sh\n{uv}\n' > .venv/bin/uv
        printf '#!/bin/sh\n' > .venv/bin/just
        chmod +x .venv/bin/* ;;
    *"-m pip "*) echo "$@" >>pip.log ;;
esac
case "$*" in *{fails_at}*) exit 1 ;; esac
"""


def change(checkout, lock):
    newer = time.time() + 60
    os.utime(checkout / "requirements" / f"{lock}.txt", (newer, newer))


def locks_asked_for(checkout):
    """The locks that uv installed, one set for each call."""
    calls = (checkout / "uv.log").read_text().splitlines()
    return [set(re.findall(r"requirements/(\w+)\.txt", call)) for call in calls]


def stamps(checkout):
    return {file.name for file in (checkout / ".venv").glob("installed*")}


def test_a_target_installs_what_it_needs_and_nothing_else(checkout, tmp_path):
    tools = bin_with(tmp_path / "bin", python3=python())
    assert make(checkout, "demo", path=tools).returncode == 0
    assert make(checkout, "worker", path=tools).returncode == 0
    assert locks_asked_for(checkout) == [{"local"}]
    assert stamps(checkout) == {"installed-local"}


def test_the_packages_of_another_target_are_added(checkout, tmp_path):
    # uv removes packages that are not in the locks
    tools = bin_with(tmp_path / "bin", python3=python())
    for target in ("demo", "test", "lint"):
        assert make(checkout, target, path=tools).returncode == 0
    wanted = [{"local"}, {"local", "test"}, {"local", "test", "lint"}]
    assert locks_asked_for(checkout) == wanted
    assert stamps(checkout) == {"installed-local", "installed-test", "installed-lint"}


def test_an_upgrade_keeps_what_was_installed_for_other_targets(checkout, tmp_path):
    tools = bin_with(tmp_path / "bin", python3=python())
    assert make(checkout, "test", path=tools).returncode == 0
    change(checkout, "local")
    assert make(checkout, "demo", path=tools).returncode == 0
    assert locks_asked_for(checkout) == [{"local", "test"}, {"local", "test"}]
    assert stamps(checkout) == {"installed-local", "installed-test"}


@pytest.mark.parametrize("interrupted", [True, False])
def test_only_an_interrupted_installation_is_repeated(checkout, tmp_path, interrupted):
    tools = bin_with(tmp_path / "bin", python3=python())
    assert make(checkout, path=tools).returncode == 0
    left = checkout / ".venv" / "left"
    left.touch()
    if interrupted:
        (checkout / ".venv" / "installed-local").unlink()
    else:
        change(checkout, "local")
    done = make(checkout, path=tools)
    assert "Installing into .venv" in done.stderr
    assert done.returncode == 0
    assert left.exists() != interrupted


def test_a_failed_installation_is_not_considered_installed(checkout, tmp_path):
    tools = bin_with(tmp_path / "bin", python3=python())
    assert make(checkout, "test", path=tools).returncode == 0
    (checkout / ".venv" / "bin" / "uv").write_text("#!/bin/sh\nexit 1\n")
    (checkout / ".venv" / "bin" / "python").write_text('#!/bin/sh\n[ "$1" = -c ]\n')
    change(checkout, "local")
    assert make(checkout, path=tools).returncode != 0
    assert stamps(checkout) == set()


@pytest.mark.parametrize("uv_can", [True, False])
def test_packages_are_compiled_and_none_is_built_from_its_source(checkout, tmp_path, uv_can):
    # its build dependencies would not be pinned
    uv = 'echo "$@" >>uv.log' + ("" if uv_can else "; exit 1")
    tools = bin_with(tmp_path / "bin", python3=python(uv))
    assert make(checkout, path=tools).returncode == 0
    by_pip = (checkout / "pip.log").read_text().splitlines()
    assert len(by_pip) == (1 if uv_can else 2)
    assert all(" --compile " in line and " --only-binary :all: " in line for line in by_pip)
    by_uv = (checkout / "uv.log").read_text()
    assert " --compile-bytecode " in by_uv
    assert " --no-build " in by_uv


def test_a_package_without_a_wheel_is_reported_with_the_reason(checkout, tmp_path):
    tools = bin_with(tmp_path / "bin", python3=python(uv="exit 1", fails_at="local.txt"))
    done = make(checkout, path=tools)
    assert done.returncode != 0
    assert "source packages are not built" in done.stderr
    assert stamps(checkout) == set()


def test_installed_files_are_readable_by_other_users_with_any_umask(checkout, tmp_path):
    tools = bin_with(tmp_path / "bin", python3=python())
    before = os.umask(0o077)
    try:
        assert make(checkout, path=tools).returncode == 0
    finally:
        os.umask(before)
    assert (checkout / ".venv" / "bin").stat().st_mode & 0o777 == 0o755
    assert (checkout / ".venv" / "bin" / "just").stat().st_mode & 0o777 == 0o755


def test_a_venv_that_services_may_use_is_not_changed(checkout, tmp_path):
    arq = checkout / ".venv" / "bin" / "arq"
    arq.parent.mkdir(parents=True)
    arq.touch()
    done = make(checkout, path=bin_with(tmp_path / "bin", python3=python()))
    assert "rm -rf .venv && make" in done.stderr
    assert done.returncode != 0
    assert arq.exists()


def just(root, *words, cwd=None, **env):
    return subprocess.run(
        [JUST, "--justfile", root / "justfile", *words],
        cwd=cwd or root,
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_recipes_are_listed_by_group_each_with_what_it_does(checkout):
    lines = just(checkout, "--list").stdout.splitlines()
    recipes = [line for line in lines[1:] if line.strip() and not line.strip().startswith("[")]
    assert {line.split()[0] for line in recipes} >= {
        *("demo", "test", "lint", "worker", "api", "hybrid-up", "hybrid-down", "migrate"),
        *("annotate", "runs", "show", "cancel", "retry", "status", "genes-import", "sandbox"),
    }
    assert all("#" in line for line in recipes)
    assert any("[start here]" in line for line in lines)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(("recipe", "lock"), [("status", "local"), ("test", "test")])
def test_a_recipe_whose_lock_is_not_installed_says_to_run_make(checkout, recipe, lock):
    done = just(checkout, recipe)
    assert f"requirements/{lock}.txt is not installed: run make" in done.stderr
    assert done.returncode == 1


def test_a_recipe_whose_lock_has_changed_says_to_run_make_and_goes_on(command_line):
    change(command_line, "local")
    done = just(command_line, "status")
    assert "requirements/local.txt has changed: run make" in done.stderr
    assert done.stdout.endswith(" ['status']\n")


def test_make_installs_what_a_recipe_looks_for(checkout):
    for name, recipe in dump()["recipes"].items():
        needs = [word for each in recipe["dependencies"] for word in each["arguments"] or ["local"]]
        would = make(checkout, "--dry-run", name).stdout
        installs = re.findall(r"requirements/install\.sh (\w+)", would)
        assert installs == needs or not needs, name


@pytest.fixture
def command_line(installed):
    """A checkout whose command prints its folder and arguments, and exits with 2."""
    cli = installed / "backend" / "app" / "cli"
    cli.mkdir(parents=True)
    (cli.parent / "__init__.py").touch()
    (cli / "__init__.py").touch()
    (cli / "__main__.py").write_text(
        "import os, sys; print(os.getcwd(), sys.argv[1:]); sys.exit(2)"
    )
    (installed / ".venv" / "bin" / "python").symlink_to(sys.executable)
    return installed


@pytest.mark.parametrize("recipe", ["show", "cancel", "retry", "genes-import", "annotate"])
def test_a_missing_argument_is_reported_by_the_command(command_line, recipe):
    done = just(command_line, recipe)
    assert done.stdout.endswith(f" ['{recipe}']\n")
    assert done.returncode == 2


def test_arguments_with_spaces_and_relative_paths_reach_the_command(command_line, tmp_path):
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    done = just(command_line, "genes-import", "my genes.tsv", cwd=elsewhere)
    assert done.stdout == f"{elsewhere} ['genes-import', 'my genes.tsv']\n"
    done = just(command_line, "annotate", "--genes", "my genes.tsv", cwd=elsewhere)
    assert done.stdout == f"{elsewhere} ['annotate', '--genes', 'my genes.tsv']\n"


def dump():
    return json.loads(just(ROOT, "--dump", "--dump-format", "json").stdout)


def our_recipes():
    return {
        name: recipe
        for name, recipe in dump()["recipes"].items()
        if re.search(r"-m (app|arq|demo|sandbox|services)\b", json.dumps(recipe["body"]))
    }


@pytest.mark.parametrize("variable", [{}, {"PYTHONSAFEPATH": "1"}, {"PYTHONPATH": "/not/there"}])
@pytest.mark.parametrize("recipe", ["status", "annotate", "backup", "doctor", "migrate", "api"])
def test_the_code_is_found_from_any_working_directory(command_line, tmp_path, recipe, variable):
    # a package of the same name in the working directory
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('not this one')")
    done = just(command_line, recipe, cwd=tmp_path, **variable)
    assert done.stdout == f"{tmp_path} ['{recipe}']\n", done.stderr


def test_all_recipes_call_the_projects_code_in_the_same_way():
    recipes = our_recipes()
    assert len(recipes) > 15
    for name, recipe in recipes.items():
        body = str(recipe["body"])
        assert body.count("['variable', 'python']], ' -m ") == body.count(" -m "), body
        assert "no-cd" in recipe["attributes"], name
