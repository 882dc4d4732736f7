import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Connection, SSLConnection, UnixDomainSocketConnection

from app.core.redis.address import address, parse
from app.core.redis.pool import new_pool


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("redis://user:se%40cret@host:6380/3", "host:6380"),
        ("rediss://host", "host:6379"),
        ("unix:///run/redis.sock?db=2", "/run/redis.sock"),
        ("redis+sentinel://:x@a:1,b,[::1]:3/main/2", "main of a:1,b:26379,::1:3"),
    ],
)
def test_an_address_is_shown_without_its_credentials(url: str, where: str) -> None:
    assert address(url) == where


@pytest.mark.parametrize(
    ("url", "hosts", "database", "login"),
    [
        ("redis://host", (("host", 6379),), 0, {}),
        ("redis://", (("localhost", 6379),), 0, {}),
        ("redis://:p@[::1]:7/12", (("::1", 7),), 12, {"password": "p"}),
        ("redis://h/?db=3", (("h", 6379),), 3, {}),
        ("redis://u@h/0", (("h", 6379),), 0, {"username": "u"}),
        ("redis://h?username=u&password=p%26q", (("h", 6379),), 0, {"username": "u"}),
        # a password may contain colons, @ and brackets
        ("redis://u:a:b@c[d]e@h:1/0", (("h", 1),), 0, {"username": "u", "password": "a:b@c[d]e"}),
    ],
)
def test_the_address_of_one_server_is_parsed_with_its_login(
    url: str, hosts, database, login
) -> None:
    found = parse(url)
    assert (found.hosts, found.database, found.service) == (hosts, database, None)
    assert login.items() <= found.login.items()


def test_sentinels_have_a_password_of_their_own_beside_the_servers() -> None:
    found = parse(
        "rediss+sentinel://u:p%25w@a:1,b/my%20name?sentinel_password=s%26x&ssl_ca_certs=/etc/ca"
    )
    assert found.hosts == (("a", 1), ("b", 26379))
    assert (found.service, found.tls, found.database) == ("my name", True, 0)
    assert found.sentinel_login == {"password": "s&x"}
    assert found.login == {"username": "u", "password": "p%w"}
    assert found.options == {"ssl_ca_certs": "/etc/ca"}


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.sampled_from(["redis", "unix"]))
def test_any_password_can_be_percent_encoded(password: str, scheme: str) -> None:
    found = parse(f"{scheme}://:{quote(password, safe='')}@/1")
    assert found.password == password


@pytest.mark.parametrize(
    "url",
    [
        "http://host",
        "host:6379",
        "redis+cluster://host:6379",
        "redis+sentinel://host:26379",
        "redis+sentinel://host:26379/",
        "redis+sentinel://a,,b/main",
        "redis+sentinel://a:x/main",
        "redis://host:port/0",
        "redis://host:65536/0",
        "redis://host:0/0",
    ],
)
def test_another_form_is_refused_and_the_message_lists_the_valid_forms(url: str) -> None:
    with pytest.raises(ValueError, match=r"redis\+sentinel://host1"):
        parse(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis://:AAA/BBB@host/0", "a / is written %2F"),
        ("redis://:123/BBB@host/0", "a / is written %2F"),
        ("redis://:AAA?BBB@host/0", "a ? %3F"),
        ("redis://:AAA?db=BBB@host/0", "a ? %3F"),
        ("redis://:AAA#BBB@host/0", "a # is written %23"),
        ("redis://host/0#1", "a # is written %23"),
        ("redis://:AAA BBB@host/0", "%20"),
        ("redis://host/zero", "the number of a database"),
        ("redis://host/0/1", "the number of a database"),
        ("redis+sentinel://a/main/zero", "the number of a database"),
        ("redis+sentinel://a/main/0/1", "the number of a database"),
        ("redis://host?db=zero", "a whole number as the value of db"),
        ("redis://host?db=-1", "the number of a database"),
        ("redis://host/1?db=2", "the same database"),
        ("redis://host?decode_responses=False", "no decode_responses: arq needs bytes"),
        ("redis://host?sentinel_password=x", "not sentinel_password, but only the parameters"),
        ("redis://host?colour=red", "not colour, but only the parameters client_name"),
        ("redis://host?ssl_ca_certs=/etc/ca", "ssl_ca_certs only with rediss://"),
        ("rediss://host?ssl_cert_reqs=maybe", "none, optional or required"),
        ("redis://host?socket_keepalive=maybe", "true or false"),
        ("redis://host?socket_timeout=soon", "a number as the value of socket_timeout"),
        ("redis://host?db", "name=value"),
        ("redis://host?db=1&db=1", "db only once"),
        ("redis://:x@host?password=y", "not in both"),
        ("redis://a,b/0", "redis+sentinel://"),
        ("unix://run/redis.sock", "unix:///path"),
        ("unix://", "unix:///path"),
    ],
)
def test_an_address_that_arq_or_redis_py_would_misread_is_refused_with_the_reason(
    url: str, why: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(why)) as error:
        parse(url)
    assert not re.search("AAA|BBB|123", str(error.value))


@pytest.mark.parametrize(
    ("url", "kind", "arguments"),
    [
        (
            "redis://u:a%2Fb@host:7/3?health_check_interval=5&socket_timeout=9",
            Connection,
            {"host": "host", "port": 7, "db": 3, "username": "u", "password": "a/b"}
            | {"health_check_interval": 5, "socket_timeout": 9.0, "socket_keepalive": True},
        ),
        (
            "rediss://host?ssl_cert_reqs=none&ssl_check_hostname=false",
            SSLConnection,
            {"ssl_cert_reqs": "none", "ssl_check_hostname": False, "socket_timeout": 5.0},
        ),
        ("unix:///run/r.sock?db=2", UnixDomainSocketConnection, {"path": "/run/r.sock", "db": 2}),
    ],
)
async def test_the_pool_of_redis_py_is_configured_from_the_address(
    url: str, kind, arguments
) -> None:
    pool = new_pool(url, socket_timeout=5.0, socket_keepalive=True)
    assert pool.connection_class is kind
    assert arguments.items() <= pool.connection_kwargs.items()
    # this fails if redis-py refuses one of the arguments
    pool.make_connection()
