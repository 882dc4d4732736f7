import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.annotation.settings import Settings
from app.core.process.configured_secrets import configured_secrets
from app.core.process.env_file import is_secret
from app.core.process.redaction import hide

SECRET = "x7Kq2mPzT9wA"


def shown(text: str, *env_files: str, **environ: str) -> str:
    return hide(text, configured_secrets(environ, *env_files))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADMIN_TOKEN", "{}"),
        ("NCBI_API_KEY", "{}"),
        ("PGPASSWORD", "{}"),
        ("REDIS_WORKER_PASSWORD", "{}"),
        ("HTTPS_PROXY", "http://{}@proxy.example:3128"),
        ("https_proxy", "http://somebody:{}@proxy.example:3128"),
        ("ALL_PROXY", "socks5://{}@proxy.example"),
        ("NCBI_EUTILS_URL", "https://me:{}@mirror.example/eutils"),
        ("DATABASE_URL", "postgresql://u@h/db?password={}"),
        ("DATABASE_URL", "host=h user=u password='{}'"),
        ("REDIS_URL", "redis://:{}@h/0"),
        ("REDIS_URL", "redis://{}@h/0"),
        ("REDIS_URL", "redis+sentinel://h/main?sentinel_password={}"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://me:{}@collector.example"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=genes, x-key={}"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20{}"),
    ],
)
def test_the_secret_of_each_variable_is_hidden(name: str, value: str) -> None:
    assert shown(SECRET, **{name: value.format(SECRET)}) == "***"
    assert shown(SECRET, f'export {name}="{value.format(SECRET)}"\n') == "***"


@pytest.mark.parametrize(
    "name",
    [name for name, field in Settings.model_fields.items() if is_secret(field)],
)
def test_each_secret_setting_is_known_by_its_name(name: str) -> None:
    value = f"redis://:{SECRET}@h/0" if name.endswith("_url") else SECRET
    assert shown(SECRET, **{name.upper(): value}) == "***"


def test_a_secret_that_contains_another_variable_is_hidden() -> None:
    env_file = "PART=x7Kq2mPz\nADMIN_TOKEN=${PART}T9wA\n"
    assert shown(SECRET, env_file) == "***"


@pytest.mark.parametrize(
    "url",
    [
        "redis://:aaaa/bbbb@host/0",
        "redis://:aaaa#bbbb@host/0",
        "redis://:aaaa?bbbb@host/0",
        "redis://:aaaa@bbbb@host/0",
        "redis://:aaaa[bbbb@host/0",
        "postgresql://u:aaaa@bbbb@host:5432/genes",
        "postgresql://u:aaaa/bbbb@host:5432/genes",
        "postgresql://u:aaaa?bbbb@host:5432/genes",
        "postgresql+psycopg://u:aaaa%2Fbbbb@host:5432/genes",
        "u:aaaa@bbbb@host/genes",
        "postgresql://u:aaaa@/bbbb@host/genes",
        "postgresql://u:aaaa@bbbb/cccc@host/genes",
        "postgresql://u:aaaa@bbbb?cccc@host/genes",
        "redis://:aaaa@bbbb#cccc@host/0",
    ],
)
def test_no_part_of_a_password_with_delimiters_is_shown(url: str) -> None:
    name = "REDIS_URL" if url.startswith("redis") else "DATABASE_URL"
    said = shown("port aaaa, host bbbb, host genes", **{name: url})
    assert said == "port ***, host ***, host genes"
    assert "cccc" not in url or shown("cccc", **{name: url}) == "***"


def test_each_of_several_secrets_for_webhooks_is_hidden() -> None:
    said = shown("whsec_new and whsec_old", NOTIFY_WEBHOOK_SECRET="whsec_new whsec_old")
    assert said == "*** and ***"


def test_a_password_that_is_also_the_user_or_the_database_stays_readable() -> None:
    url = "postgresql://postgres:postgres@host/genes?application_name=me@here"
    assert shown("postgres, genes, host", DATABASE_URL=url) == "postgres, genes, host"


def test_variables_without_secrets_hide_nothing() -> None:
    environ = {"HOME": "/home/kidney", "NCBI_EMAIL": "me@lab.example", "LOG_LEVEL": "INFO"}
    assert configured_secrets(environ, "ARQ_MAX_JOBS=12345\nADMIN_TOKEN=\n") == frozenset()


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=8),
    st.sampled_from(["DATABASE_URL", "REDIS_URL", "HTTPS_PROXY", "ADMIN_TOKEN"]),
)
def test_a_secret_is_hidden_whatever_characters_it_has(secret: str, name: str) -> None:
    value = secret if name == "ADMIN_TOKEN" else f"x://user:{secret}@host/"
    assert secret not in shown(f"who logs in with <{secret}>", **{name: value})
