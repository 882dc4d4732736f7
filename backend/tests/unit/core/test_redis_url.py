import pytest

from app.core.redis_url import address, sentinels


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("redis://user:se%40cret@host:6380/3", "host:6380"),
        ("rediss://host", "host:6379"),
        ("unix:///run/redis.sock?db=2", "/run/redis.sock"),
        ("redis+sentinel://:x@a:1,b,[::1]:3/main/2", "main of a:1,b:26379,::1:3"),
    ],
)
def test_where_it_points_is_told_without_credentials(url: str, where: str) -> None:
    assert address(url) == where


def test_one_server_has_no_sentinels() -> None:
    assert sentinels("rediss://host:6379/0") is None


def test_sentinels_are_read_with_their_own_password_and_the_servers() -> None:
    found = sentinels(
        "rediss+sentinel://u:p%25w@a:1,b/my%20name?sentinel_password=s%26x&ssl_ca_certs=/etc/ca"
    )
    assert found is not None
    assert found.hosts == (("a", 1), ("b", 26379))
    assert found.service == "my name"
    assert found.login == {"password": "s&x"}
    assert found.url == "rediss://u:p%25w@sentinel/0?ssl_ca_certs=%2Fetc%2Fca"


@pytest.mark.parametrize(
    "url",
    [
        "http://host",
        "host:6379",
        "redis+sentinel://host:26379",
        "redis+sentinel://host:26379/",
        "redis+sentinel://a,,b/main",
        "redis+sentinel://a:x/main",
        "redis+sentinel://a/main/zero",
        "redis+sentinel://a/main/0/1",
    ],
)
def test_another_form_is_refused_with_the_forms_there_are(url: str) -> None:
    with pytest.raises(ValueError, match=r"redis\+sentinel://host1"):
        sentinels(url)
