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
    """The top files of a checkout in a folder with a space, with a just that says its words."""
    root = tmp_path / "a check out"
    shutil.copytree(ROOT / "requirements", root / "requirements")
    for name in ("Makefile", "justfile"):
        shutil.copy(ROOT / name, root)
    (root / "backend").mkdir()
    return root


@pytest.fixture
def installed(checkout):
    """A checkout whose .venv is up to date and whose just prints its words and LIVE."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    just = checkout / ".venv" / "bin" / "just"
    just.write_text('#!/bin/sh\nprintf "<%s>" "$@" "LIVE=$LIVE"\n')
    just.chmod(0o755)
    (checkout / ".venv" / "installed").touch()
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
def test_make_hands_its_words_to_just_in_one_call(installed, words, called):
    done = make(installed, *words)
    assert done.stdout == called
    assert done.returncode == 0


def test_the_environment_reaches_the_recipe(installed):
    assert make(installed, "demo", LIVE="1").stdout == "<demo><LIVE=1>"


def bin_with(folder, **scripts):
    """A folder for the PATH with the basic tools and these scripts."""
    folder.mkdir()
    for tool in ("sh", "rm", "ln", "touch", "sed"):
        (folder / tool).symlink_to(shutil.which(tool))
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_a_python_that_is_too_old_is_said_in_one_line(checkout, tmp_path):
    old = 'case "$1" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac'
    done = make(checkout, "test", path=bin_with(tmp_path / "bin", python3=old))
    said = done.stderr.splitlines()[0]
    assert "Python 3.11 or later" in said
    assert "Python 3.9.2" in said
    assert "apt install" in said
    assert done.returncode == 2
    assert not (checkout / ".venv").exists()


def test_no_python_at_all_is_said_in_one_line(checkout, tmp_path):
    done = make(checkout, path=bin_with(tmp_path / "bin"))
    assert "Python 3.11 or later is needed, and there is none here" in done.stderr.splitlines()[0]


def test_a_python_without_venv_is_said_with_what_to_install(checkout, tmp_path):
    bare = 'case "$*" in --version) echo Python 3.12.1 ;; *ensurepip*) exit 1 ;; esac'
    done = make(checkout, path=bin_with(tmp_path / "bin", python3=bare))
    assert "Python 3.12.1 here has no venv" in done.stderr.splitlines()[0]
    assert "apt install python3-venv" in done.stderr.splitlines()[0]


# a Python whose venv makes one that says its words, and whose pip does nothing
PYTHON = r"""
case "$*" in
    *"-m venv --clear "*)
        rm -rf .venv
        mkdir -p .venv/bin
        cp "$0" .venv/bin/python
        printf '#!/bin/sh\n' > .venv/bin/uv
        printf '#!/bin/sh\n' > .venv/bin/just
        chmod +x .venv/bin/* ;;
esac
"""


@pytest.mark.parametrize("interrupted", [True, False])
def test_only_what_an_interrupted_installation_left_is_made_anew(checkout, tmp_path, interrupted):
    tools = bin_with(tmp_path / "bin", python3=PYTHON)
    for tool in ("cp", "mkdir", "chmod", "printf"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    assert make(checkout, path=tools).returncode == 0
    left = checkout / ".venv" / "left"
    left.touch()
    if interrupted:
        (checkout / ".venv" / "installed").unlink()
    else:
        newer = time.time() + 60
        os.utime(checkout / "requirements" / "dev.txt", (newer, newer))
    done = make(checkout, path=tools)
    assert "Making .venv" in done.stderr
    assert done.returncode == 0
    assert left.exists() != interrupted


@pytest.mark.parametrize("uv_can", [True, False])
def test_no_package_is_built_from_its_source(checkout, tmp_path, uv_can):
    # what builds it would be fetched without a pin
    log = tmp_path / "called"
    notes = f'printf "%s " "$(basename "$0")" "$@" >>"{log}"; echo >>"{log}"'
    fails = "" if uv_can else "exit 1"
    python = PYTHON.replace(
        "#!/bin/sh\\n' > .venv/bin/uv", f"#!/bin/sh\\n{fails}\\n' > .venv/bin/uv"
    )
    tools = bin_with(tmp_path / "bin", python3=f"{notes}\n{python}")
    for tool in ("cp", "mkdir", "chmod", "printf", "basename"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    assert make(checkout, path=tools).returncode == 0
    installs = [line for line in log.read_text().splitlines() if " install " in line]
    assert len(installs) == (1 if uv_can else 2)
    assert all("--only-binary :all: " in line for line in installs)
    script = (checkout / "requirements" / "install.sh").read_text()
    assert "uv pip sync --quiet --no-build " in script


def test_a_package_without_a_wheel_is_said_with_the_reason(checkout, tmp_path):
    python = f'{PYTHON}\ncase "$*" in *dev.txt*) exit 1 ;; esac'
    python = python.replace("#!/bin/sh\\n' > .venv/bin/uv", "#!/bin/sh\\nexit 1\\n' > .venv/bin/uv")
    tools = bin_with(tmp_path / "bin", python3=python)
    for tool in ("cp", "mkdir", "chmod", "printf", "uname"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    done = make(checkout, path=tools)
    assert done.returncode != 0
    assert "source packages are not built" in done.stderr
    assert not (checkout / ".venv" / "installed").exists()


def test_what_is_installed_can_be_read_by_other_users_whatever_the_umask(checkout, tmp_path):
    tools = bin_with(tmp_path / "bin", python3=PYTHON)
    for tool in ("cp", "mkdir", "chmod", "printf"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    before = os.umask(0o077)
    try:
        assert make(checkout, path=tools).returncode == 0
    finally:
        os.umask(before)
    assert (checkout / ".venv" / "bin").stat().st_mode & 0o777 == 0o755
    assert (checkout / ".venv" / "bin" / "just").stat().st_mode & 0o777 == 0o755


def test_a_venv_that_services_may_run_from_is_left_as_it_is(checkout, tmp_path):
    arq = checkout / ".venv" / "bin" / "arq"
    arq.parent.mkdir(parents=True)
    arq.touch()
    done = make(checkout, path=bin_with(tmp_path / "bin", python3=PYTHON))
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


def test_a_recipe_without_a_venv_says_to_run_make(checkout):
    done = just(checkout, "test")
    assert "run make" in done.stderr
    assert done.returncode == 1


@pytest.fixture
def command_line(installed):
    """A checkout whose command line says where it runs and its words, and ends with 2."""
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
def test_a_missing_word_is_the_command_lines_to_refuse(command_line, recipe):
    done = just(command_line, recipe)
    assert done.stdout.endswith(f" ['{recipe}']\n")
    assert done.returncode == 2


def test_words_with_spaces_and_a_file_beside_the_caller_reach_the_command_line(
    command_line, tmp_path
):
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    done = just(command_line, "genes-import", "my genes.tsv", cwd=elsewhere)
    assert done.stdout == f"{elsewhere} ['genes-import', 'my genes.tsv']\n"
    done = just(command_line, "annotate", "--genes", "my genes.tsv", cwd=elsewhere)
    assert done.stdout == f"{elsewhere} ['annotate', '--genes', 'my genes.tsv']\n"


def our_recipes():
    done = subprocess.run(
        [JUST, "--justfile", ROOT / "justfile", "--dump", "--dump-format", "json"],
        capture_output=True,
        check=True,
    )
    return {
        name: recipe
        for name, recipe in json.loads(done.stdout)["recipes"].items()
        if re.search(r"-m (app|arq|demo|sandbox|services)\b", json.dumps(recipe["body"]))
    }


@pytest.mark.parametrize("variable", [{}, {"PYTHONSAFEPATH": "1"}, {"PYTHONPATH": "/not/there"}])
@pytest.mark.parametrize("recipe", ["status", "annotate", "backup", "doctor", "migrate", "api"])
def test_the_code_is_found_wherever_the_caller_stands(command_line, tmp_path, recipe, variable):
    # a package of the same name, beside the caller
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('not this one')")
    done = just(command_line, recipe, cwd=tmp_path, **variable)
    assert done.stdout == f"{tmp_path} ['{recipe}']\n", done.stderr


def test_all_recipes_call_our_code_in_one_way():
    recipes = our_recipes()
    assert len(recipes) > 15
    for name, recipe in recipes.items():
        body = str(recipe["body"])
        assert body.count("['variable', 'python']], ' -m ") == body.count(" -m "), body
        assert "no-cd" in recipe["attributes"], name
