import psutil
import pytest
import redis

from services import Redis, running_redis
from services.process import ServiceError


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_redis(tmp_path_factory.mktemp("a folder with spaces") / "redis") as server:
        yield server


@pytest.fixture
def client(server):
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        yield client


def test_the_server_writes_an_append_only_file_and_evicts_no_keys(client):
    assert client.config_get("appendonly") == {"appendonly": "yes"}
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_client_without_the_password_is_refused(server):
    with (
        redis.Redis(port=server.port) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_the_password_is_on_no_command_line_and_in_no_file_that_others_can_read(server):
    assert server.folder.stat().st_mode & 0o077 == 0
    for name in ("password", "redis.conf"):
        assert (server.folder / name).stat().st_mode & 0o077 == 0


def test_written_keys_and_the_address_survive_a_clean_stop(server, client):
    client.set("kept", "1")
    server.stop()
    assert not server.answers()
    server.start()
    assert client.get("kept") == "1"


def test_the_server_starts_again_after_sigkill(server, client):
    server.kill()
    assert server.pid is None
    server.start()
    assert client.ping()


@pytest.mark.parametrize("password", ["", 'quotes " and \\ back', "pass/word@:#%"])
def test_the_server_uses_the_given_password(tmp_path, password):
    server = Redis(tmp_path, password=password)
    server.start()
    try:
        with redis.Redis.from_url(server.url) as client:
            assert client.ping()
    finally:
        server.kill()


def test_the_error_for_a_port_in_use_contains_the_end_of_the_log(server, tmp_path):
    with pytest.raises(ServiceError, match=rf"did not start on port {server.port}.*\n.*"):
        Redis(tmp_path, port=server.port).start()


def test_a_server_that_has_ended_leaves_no_zombie_process(tmp_path):
    """The server is stopped by another object than the one that started it, as in `hybrid-down`."""
    server = Redis(tmp_path)
    Redis(tmp_path, port=server.port).start(tied=False)
    pid = server.pid
    server.stop()
    assert pid not in {child.pid for child in psutil.Process().children()}
