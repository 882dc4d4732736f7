import html
import json
import logging
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.process.redaction import RedactingFilter, redact

KEY = "0123456789abcdef0123"


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://eutils.example/esearch.fcgi?db=clinvar&api_key={KEY}&tool=x",
        f'{{"error":"API rate limit exceeded","api-key":"{KEY}","count":"4","limit":"3"}}',
        f"NCBI_API_KEY='{KEY}'",
        f"X-Api-Key: {KEY}",
        f"Authorization: Bearer {KEY}",
        f"password = {KEY}",
        f"ADMIN_TOKEN={KEY}",
        f"postgresql://kidney:{KEY}@db.example:5432/kidney",
        f"postgresql://kidney:p@ss{KEY}@db.example:5432/kidney",
        f"redis://:{KEY}@127.0.0.1:6379/0",
        f"{{'api_key': '{KEY}'}}",
        f"http://{KEY}@proxy.example:3128",
        f"http://somebody:{KEY}@proxy.example:3128",
        f"socks5h://{KEY}@proxy.example",
        f"GET https://api.example/v1?key={KEY}&x=1",
        f"GET https://files.example/a?x=1&X-Amz-Expires=60&sig={KEY}",
        f"Authorization: Token {KEY}",
        f"authorization: Digest username=me, response={KEY}",
        f"Proxy-Authorization: {KEY}",
        f"('authorization', 'Token {KEY}')",
        f"[(b'Authorization', b'Token {KEY}')]",
        f"{{'Authorization': 'ApiKey {KEY}'}}",
        f"Cookie: session=1; id={KEY}",
        f"Set-Cookie: id={KEY}; Path=/",
        f'{{"cookie": "id={KEY}"}}',
        f"redis://:AAA/{KEY}@127.0.0.1:6379/0",
        f"postgresql://kidney:{KEY}@tail@db.example:5432/kidney",
    ],
)
def test_a_secret_is_recognized_by_its_context(text):
    assert KEY not in redact(text)


@pytest.mark.parametrize(
    "text",
    ["ask ada.lovelace+x@example.org", "tool=x&email=ada.lovelace%40example.org&retmode=json"],
)
def test_e_mail_addresses_are_hidden(text):
    assert "lovelace" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "ensembl answered 503: Service Unavailable",
        "postgresql://kidney@db.example:5432/kidney",
        "https://rest.ensembl.org/lookup/symbol/homo_sapiens?expand=0",
        "http://127.0.0.1:8000/api/genes?limit=1",
        "DATABASE_URL=postgresql://user:password@host:5432/name of a running server",
        "keyerror: key=1, the keys of two cookies",
        "answered 400: POST message too large. You have submitted 1001 elements",
    ],
)
def test_other_text_stays_as_it_is(text):
    assert redact(text) == text


def test_the_text_around_a_secret_stays():
    assert redact(f"db=clinvar&api_key={KEY}&tool=x") == "db=clinvar&api_key=***&tool=x"
    assert redact(f'{{"api-key":"{KEY}","count":"4"}}') == '{"api-key":"***","count":"4"}'


@given(st.text(), st.text(min_size=4).filter(lambda secret: secret.strip("*")), st.text())
def test_a_known_secret_is_hidden_wherever_it_stands(before, secret, after):
    secret = f"<{secret}>"
    assert secret not in redact(before + secret + after, [secret])


def test_a_short_secret_is_hidden_as_a_word_only():
    assert redact("kidney, kidneys and a kidney", ["kidney"]) == "***, kidneys and a ***"


def test_a_secret_is_hidden_however_it_is_escaped():
    secret = 'a/b c&"\\ü'
    for written in (
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret).lower(),
        json.dumps(secret),
        repr(secret),
        ascii(secret),
        html.escape(secret),
        # sqlalchemy's URLs
        secret.replace("/", "%2F"),
    ):
        assert redact(f"[{written.strip(chr(34) + chr(39))}]", [secret]) in {"[***]", '[***"]'}


def test_the_filter_hides_secrets_in_arguments():
    record = logging.LogRecord("x", logging.INFO, "x", 1, "GET %s", (f"/?api_key={KEY}",), None)
    assert RedactingFilter().filter(record)
    assert record.getMessage() == "GET /?api_key=***"
