import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from app.core.notify.message import Kind, Message, Severity
from harness.receivers import WebhookReceiver

HOOK_HOST = "hooks.example.org"
SECRET = "whsec_" + "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"


def a_message(**more: object) -> Message:
    return Message(
        **{
            "id": "n-41-failed",
            "kind": Kind.RUN_FAILED,
            "severity": Severity.CRITICAL,
            "at": datetime(2026, 11, 24, 3, 7, tzinfo=UTC),
            "title": "Run 41 failed",
            "text": "Run 41 (clinvar) failed.\nTo continue it: just retry 41",
            "detail": {"run": 41},
        }
        | more
    )


@pytest.fixture
def message() -> Message:
    return a_message()


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for loopback and for the host of the webhooks, of a trusted authority."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(HOOK_HOST, "127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def receiver(certificate: ssl.SSLContext) -> Iterator[WebhookReceiver]:
    with WebhookReceiver(tls=certificate, secret=SECRET) as found:
        yield found
