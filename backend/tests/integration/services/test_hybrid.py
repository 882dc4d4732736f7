import json
import os
import signal
import socket
import stat
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from dotenv import dotenv_values

from services import addresses, hybrid, process, running_postgres, running_redis
from services.hybrid import POSTGRES, REDIS


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch):
    for name in addresses.VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _no_docker(monkeypatch, tmp_path):
    """Hide the Docker of this machine, if there is one."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'fake bin'}:/usr/bin:/bin")


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "a checkout"
    root.mkdir()
    yield root
    hybrid.down(root)


@pytest.fixture
def ports():
    """Free ports in place of the standard ports, which a developer may use."""
    return {POSTGRES: process.free_port(), REDIS: process.free_port()}


def left(root):
    return dotenv_values(root / ".run" / "services.env")


def assert_usable(urls):
    psycopg.connect(urls["DATABASE_URL"]).close()
    with redis.Redis.from_url(urls["REDIS_URL"]) as client:
        assert client.ping()


def test_without_any_server_up_starts_two_on_the_standard_ports_and_the_next_finds_them(
    root, ports, capsys
):
    hybrid.up(root, ports)

    urls = left(root)
    assert_usable(urls)
    said = capsys.readouterr().out
    assert f"PostgreSQL  127.0.0.1:{ports[POSTGRES]}" in said
    assert f"Redis       127.0.0.1:{ports[REDIS]}" in said
    for url in urls.values():
        assert url.rpartition("@")[0].rpartition(":")[2] not in said
    assert stat.S_IMODE((root / ".run" / "services.env").stat().st_mode) == 0o600

    hybrid.up(root, ports)
    assert capsys.readouterr().out.count("already running") == 2
    assert left(root) == urls
    assert hybrid.status(root)
    assert capsys.readouterr().out.count("answers") == 2


def test_down_stops_the_servers_and_the_next_up_finds_their_data(root, ports):
    hybrid.up(root, ports)
    with psycopg.connect(left(root)["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept ()")
    hybrid.down(root)
    assert not (root / ".run" / "services.env").exists()
    assert process.is_free(ports[POSTGRES])
    assert process.is_free(ports[REDIS])
    hybrid.up(root, ports)
    with psycopg.connect(left(root)["DATABASE_URL"]) as connection:
        connection.execute("SELECT FROM kept")


def test_servers_that_were_killed_are_started_again(root, ports):
    hybrid.up(root, ports)
    for kind in hybrid.KINDS:
        os.kill(kind.server(root, ports[kind], None).pid, signal.SIGKILL)
    hybrid.up(root, ports)
    assert_usable(left(root))


def test_other_servers_on_the_standard_ports_are_left_alone(root, tmp_path, capsys):
    with (
        running_postgres(tmp_path / "theirs" / "postgres") as postgres,
        running_redis(tmp_path / "theirs" / "redis") as other,
    ):
        hybrid.up(root, {POSTGRES: postgres.port, REDIS: other.port})
        urls = left(root)
        assert_usable(urls)
        assert f":{postgres.port}/" not in urls["DATABASE_URL"]
        assert f":{other.port}/" not in urls["REDIS_URL"]
        assert f"(another program uses port {other.port})" in capsys.readouterr().out


def test_a_port_chosen_instead_of_the_standard_port_is_used_again(root, tmp_path, capsys):
    with (
        running_postgres(tmp_path / "theirs" / "postgres") as postgres,
        running_redis(tmp_path / "theirs" / "redis") as other,
    ):
        taken = {POSTGRES: postgres.port, REDIS: other.port}
        hybrid.up(root, taken)
        first = left(root)
        hybrid.down(root)
        hybrid.up(root, taken)
        assert left(root) == first

        hybrid.down(root)
        port = urlsplit(first["REDIS_URL"]).port
        with socket.create_server(("127.0.0.1", port)):
            hybrid.up(root, taken)
            assert left(root)["DATABASE_URL"] == first["DATABASE_URL"]
            assert left(root)["REDIS_URL"] != first["REDIS_URL"]
            assert_usable(left(root))


def test_two_checkouts_do_not_clash(root, ports, tmp_path):
    second = tmp_path / "second"
    second.mkdir()
    hybrid.up(root, ports)
    try:
        hybrid.up(second, ports)
        assert_usable(left(second))
    finally:
        hybrid.down(second)
    assert_usable(left(root))


def test_each_configured_server_that_answers_is_used(root, ports, tmp_path, capsys):
    with running_redis(tmp_path / "theirs") as theirs:
        (root / ".env").write_text(f"REDIS_URL={theirs.url}\n")
        hybrid.up(root, ports)
        assert left(root)["REDIS_URL"] == theirs.url
        assert "the server of REDIS_URL" in capsys.readouterr().out
        assert_usable(left(root))
        hybrid.down(root)
        assert theirs.answers()


def test_up_starts_a_server_for_a_configured_local_address_that_does_not_answer(
    root, ports, monkeypatch
):
    urls = {
        "DATABASE_URL": f"postgresql://kidney:p%40ss%2Fword@localhost:{ports[POSTGRES]}/genetics",
        "REDIS_URL": f"redis://localhost:{ports[REDIS]}/0",
    }
    for name, url in urls.items():
        monkeypatch.setenv(name, url)
    hybrid.up(root, ports)
    assert_usable(urls)


def test_servers_move_with_their_data_to_addresses_that_are_configured_later(root, ports):
    hybrid.up(root, ports)
    with redis.Redis.from_url(left(root)["REDIS_URL"]) as client:
        client.set("kept", "1")
    urls = {
        "DATABASE_URL": f"postgresql://kidney:secret@127.0.0.1:{process.free_port()}/genetics",
        "REDIS_URL": f"redis://:secret@127.0.0.1:{process.free_port()}/0",
    }
    (root / ".env").write_text("".join(f"{name}={url}\n" for name, url in urls.items()))
    hybrid.up(root, ports)
    assert_usable(urls)
    with redis.Redis.from_url(urls["REDIS_URL"]) as client:
        assert client.get("kept") == b"1"


@pytest.fixture
def running(root, ports):
    """Servers of the checkout at configured addresses: the addresses, and their present pids."""
    urls = {
        "DATABASE_URL": f"postgresql://kidney:old@127.0.0.1:{ports[POSTGRES]}/genetics",
        "REDIS_URL": f"redis://:old@127.0.0.1:{ports[REDIS]}/0",
    }
    (root / ".env").write_text("".join(f"{name}={url}\n" for name, url in urls.items()))
    hybrid.up(root, ports)
    return urls, lambda: [kind.server(root, ports[kind], None).pid for kind in hybrid.KINDS]


def test_an_address_that_cannot_be_served_stops_nothing(root, ports, running, monkeypatch):
    urls, pids = running
    before = pids()
    free = process.free_port()
    for variable, url in (
        ("DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/x"),
        ("REDIS_URL", "redis://:secret@127.0.0.1:1/0"),
        ("DATABASE_URL", "postgresql://u:secret@127.0.0.1:{taken}/x"),
        ("REDIS_URL", "redis://:secret@127.0.0.1:{taken}/0"),
        ("DATABASE_URL", "postgresql://127.0.0.1:{free}/x"),
        ("DATABASE_URL", "postgresql://u:secret@127.0.0.1:secret/x"),
        ("REDIS_URL", "redis://:secret@127.0.0.1:66000/0"),
    ):
        with socket.create_server(("127.0.0.1", 0)) as silent, monkeypatch.context() as patched:
            patched.setenv(variable, url.format(taken=silent.getsockname()[1], free=free))
            with pytest.raises(process.ServiceError, match=variable) as caught:
                hybrid.up(root, ports)
        assert "secret" not in caught.value.message
        assert pids() == before
        assert left(root) == urls
    assert_usable(urls)


def test_if_one_server_cannot_start_both_are_restored(root, ports, running, monkeypatch, capsys):
    urls, _ = running
    port = process.free_port()
    monkeypatch.setenv("DATABASE_URL", f"postgresql://kidney:new@127.0.0.1:{port}/genetics")
    monkeypatch.setenv("REDIS_URL", f"redis://:new@127.0.0.1:{ports[REDIS]}/99")
    with pytest.raises(process.ServiceError, match="cannot serve REDIS_URL as it is written"):
        hybrid.up(root, ports)
    assert capsys.readouterr().err.count("again, as before") == 2
    assert process.is_free(port)
    assert left(root) == urls
    assert_usable(urls)


def test_a_remote_address_that_does_not_answer_is_reported_without_its_password(
    root, ports, monkeypatch
):
    monkeypatch.setenv("DATABASE_URL", "postgresql://kidney:secret@db.invalid:1/genetics")
    with pytest.raises(process.ServiceError, match=r"DATABASE_URL \(db.invalid:1\)") as caught:
        hybrid.up(root, ports)
    assert "secret" not in caught.value.message


def test_a_wrong_password_for_another_server_is_reported(root, ports, tmp_path, monkeypatch):
    with running_redis(tmp_path / "theirs") as theirs:
        monkeypatch.setenv("REDIS_URL", f"redis://:wrong@127.0.0.1:{theirs.port}/0")
        with pytest.raises(process.ServiceError, match="is not the Redis of REDIS_URL"):
            hybrid.up(root, ports)


FAKE_DOCKER = """\
#!/bin/sh
echo "$*" >> {log}
# as Compose does when a variable that its files name is not set
: "${{POSTGRES_PASSWORD:?}}" "${{REDIS_API_PASSWORD:?}}"
: "${{REDIS_WORKER_PASSWORD:?}}" "${{ADMIN_TOKEN:?}}"
[ "$COMPOSE_FILE" = compose.yaml:compose.hybrid.yaml ] || exit 1
case "$*" in
    info | "compose version") exit {engine} ;;
    "compose ps"*) ;;
    "compose up"*) echo "no such image" >&2; exit {up} ;;
    "compose port db 5432") echo 0.0.0.0:{postgres} ;;
    "compose port redis 6379") echo 127.0.0.1:{redis} ;;
    "compose config"*) cat {config} ;;
esac
"""


@pytest.fixture
def docker(root, tmp_path):
    """A fake docker whose containers are servers of the test; call it with exit statuses."""
    (root / "compose.yaml").write_text("services: {}\n")
    log, config = tmp_path / "log", tmp_path / "config"
    log.touch()
    folder = tmp_path / "fake bin"
    folder.mkdir()

    def put(postgres=0, redis=0, *, engine=0, up=0, env=None):
        config.write_text(json.dumps({"services": {"migrate": {"environment": env or {}}}}))
        script = FAKE_DOCKER.format(
            log=log, config=config, postgres=postgres, redis=redis, engine=engine, up=up
        )
        (folder / "docker").write_text(script)
        (folder / "docker").chmod(0o755)
        return log

    return put


def test_a_docker_engine_that_answers_runs_the_servers_that_are_not_configured(
    root, ports, tmp_path, docker, monkeypatch, capsys
):
    with (
        running_postgres(tmp_path / "container" / "postgres") as postgres,
        running_redis(tmp_path / "theirs") as theirs,
    ):
        env = {"DATABASE_URL": postgres.dsn}
        log = docker(postgres.port, engine=0, env=env)
        monkeypatch.setenv("REDIS_URL", theirs.url)

        hybrid.up(root, ports)
        assert "compose up -d --wait db\n" in log.read_text()
        assert f"127.0.0.1:{postgres.port}  Docker Compose" in capsys.readouterr().out
        assert_usable(left(root))

        hybrid.down(root)
        assert log.read_text().endswith("compose stop db\n")


def test_without_a_docker_engine_the_checkout_starts_its_servers(root, ports, docker):
    log = docker(engine=1)
    hybrid.up(root, ports)
    assert "compose up" not in log.read_text()
    assert_usable(left(root))


def test_if_docker_fails_up_reports_it_and_starts_its_own_servers(root, ports, docker, capsys):
    docker(up=1)
    hybrid.up(root, ports)
    assert "no such image" in capsys.readouterr().err
    assert_usable(left(root))


def test_status_without_servers_is_a_failure(root):
    assert not hybrid.status(root)
