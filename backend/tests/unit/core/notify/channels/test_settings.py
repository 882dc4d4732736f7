"""The settings of channels: what is refused, and that no secret is shown."""

from pathlib import Path

import pytest

from app.annotation.settings import Settings, load_settings
from app.core.errors import WrongUse
from app.core.notify.channels.forms import Form
from app.core.process.configured_secrets import configured_secrets
from app.core.process.redaction import hide

SLACK = "https://hooks.slack.com/services/T0001/B0002/XyZsEcReT1234567890"
TOKEN = "XyZsEcReT1234567890"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch):
    def load(**environ: str) -> Settings:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        return load_settings(Path("/nonexistent"))

    return load


def test_by_default_there_are_no_channels(load) -> None:
    assert load().channel_names == []


def test_the_form_of_a_webhook_follows_from_its_host_or_its_prefix(load) -> None:
    found = load(
        NOTIFY_WEBHOOK_URLS=f"{SLACK} https://x.webhook.office.com/webhookb2/x "
        "mattermost+https://chat.example.org/hooks/abc json+https://hooks.slack.com/x "
        "https://example.org:8443/notify"
    )
    forms = [each.form for each in found.webhooks]
    assert forms == [Form.SLACK, Form.TEAMS, Form.MATTERMOST, Form.JSON, Form.JSON]
    assert [each.url.partition("://")[0] for each in found.webhooks] == ["https"] * 5
    assert found.channel_names == [f"webhook {number}" for number in range(1, 6)]


def test_one_webhook_is_called_webhook(load) -> None:
    assert load(NOTIFY_WEBHOOK_URLS=SLACK).channel_names == ["webhook"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/x", "https://"),
        ("https://localhost/x", "NOTIFY_ALLOW_PRIVATE"),
        ("https://127.0.0.1/x", "NOTIFY_ALLOW_PRIVATE"),
        ("https://[::1]/x", "NOTIFY_ALLOW_PRIVATE"),
        ("https://10.1.2.3/x", "NOTIFY_ALLOW_PRIVATE"),
        ("https://[::ffff:10.1.2.3]/x", "NOTIFY_ALLOW_PRIVATE"),
        ("https://100.64.1.1/x", "NOTIFY_ALLOW_PRIVATE"),
        ("https://169.254.169.254/latest", "NOTIFY_ALLOW_PRIVATE"),
        ("https://me:XyZsEcReT1234567890@example.org/x", "without a user"),
        ("ftp://example.org/x", "https://host/path"),
        ("https://127.0.0.1\\.example.org/x", "https://host/path"),
        ("discord+https://example.org/x", "https://host/path"),
        ("XyZsEcReT1234567890", "https://host/path"),
        ("https:///XyZsEcReT1234567890", "https://host/path"),
        ("https://example..org/XyZsEcReT1234567890", "https://host/path"),
        (f"https://{'a' * 64}.org/XyZsEcReT1234567890", "https://host/path"),
        ("https://example.org:99999/XyZsEcReT1234567890", "https://host/path"),
        ("https://example.org:0/XyZsEcReT1234567890", "https://host/path"),
    ],
)
@pytest.mark.parametrize("name", ["NOTIFY_WEBHOOK_URLS", "PING_URL"])
def test_an_address_that_cannot_be_right_is_refused_without_showing_it(
    load, name: str, url: str, why: str
) -> None:
    with pytest.raises(WrongUse, match=why) as caught:
        load(**{name: url})
    assert f"{name}: found a value that is not shown" in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_addresses_of_ones_own_network_can_be_allowed(load) -> None:
    found = load(
        NOTIFY_ALLOW_PRIVATE="True",
        NOTIFY_WEBHOOK_URLS="https://10.1.2.3/x http://127.0.0.1:8065/hooks/x",
    )
    assert [each.host for each in found.webhooks] == ["10.1.2.3", "127.0.0.1"]


def test_without_encryption_only_this_host_itself_can_be_allowed(load) -> None:
    with pytest.raises(WrongUse, match="https://"):
        load(NOTIFY_ALLOW_PRIVATE="True", NOTIFY_WEBHOOK_URLS="http://10.1.2.3/x")


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("smtps://u:p@mail.example.org", "mail.example.org", 465, "implicit"),
        ("smtp://u:p@mail.example.org", "mail.example.org", 587, "starttls"),
        ("smtp://mail.example.org:25", "mail.example.org", 25, "starttls"),
        ("smtp://relay.example.org:25?tls=off", "relay.example.org", 25, "off"),
        ("smtp://localhost:25", "localhost", 25, "off"),
        ("smtp://u:p@[::1]:25", "::1", 25, "off"),
        ("smtp://localhost:25?tls=starttls", "localhost", 25, "starttls"),
    ],
)
def test_e_mail_is_encrypted_unless_it_stays_on_this_host_or_that_is_allowed(
    load, url: str, host: str, port: int, tls: str
) -> None:
    found = load(SMTP_URL=url, NOTIFY_EMAIL_FROM="a@b.org", NOTIFY_EMAIL_TO="c@d.org").smtp_server
    assert found is not None
    assert (found.host, found.port, found.tls) == (host, port, tls)


def test_the_user_and_the_password_are_decoded_and_the_user_is_the_sender(load) -> None:
    found = load(SMTP_URL="smtps://me%40b.org:p%2Fw@h.org", NOTIFY_EMAIL_TO="c@d.org, e@f.org")
    assert found.smtp_server is not None
    assert (found.smtp_server.user, found.smtp_server.password) == ("me@b.org", "p/w")
    assert found.email_from == "me@b.org"
    assert found.email_to == ("c@d.org", "e@f.org")
    assert "p/w" not in repr(found.smtp_server)


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"SMTP_URL": "smtp://u:secretpw@h.org?tls=off"}, "password would be sent unencrypted"),
        ({"SMTP_URL": "smtp://h.org?tls=maybe"}, "tls=off"),
        ({"SMTP_URL": "smtps://h.org?verify=no"}, "smtps://user:password@host:465"),
        ({"SMTP_URL": "smtps://h..org"}, "smtps://user:password@host:465"),
        ({"SMTP_URL": "smtps://h.org:0"}, "smtps://user:password@host:465"),
        ({"SMTP_URL": "https://h.org"}, "smtps://user:password@host:465"),
        ({"SMTP_URL": "smtps://u@h.org"}, "a user and a password"),
        ({"SMTP_URL": "smtps://h.org", "NOTIFY_EMAIL_TO": "a@b.org"}, "NOTIFY_EMAIL_FROM: found"),
        ({"SMTP_URL": "smtps://h.org", "NOTIFY_EMAIL_FROM": "a@b.org"}, "NOTIFY_EMAIL_TO: found"),
        ({"NOTIFY_EMAIL_TO": "a@b.org"}, "together with SMTP_URL"),
        (
            {
                "SMTP_URL": "smtps://h.org",
                "NOTIFY_EMAIL_FROM": "a@b.org",
                "NOTIFY_EMAIL_TO": "a@b.org\nBcc: all@d.org",
            },
            "addresses like you@example.org",
        ),
        ({"NOTIFY_WEBHOOK_SECRET": "too-short-a-secret"}, "whsec_ and 24 to 64"),
    ],
)
def test_an_impossible_value_is_refused(load, environ: dict[str, str], why: str) -> None:
    with pytest.raises(WrongUse) as caught:
        load(**environ)
    assert why in str(caught.value)
    assert "secretpw" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NOTIFY_WEBHOOK_URLS", SLACK),
        (
            "NOTIFY_WEBHOOK_URLS",
            f"https://example.org/notifications teams+https://x.org/?sig={TOKEN}",
        ),
        ("NOTIFY_APPRISE_URLS", f"tgram://{TOKEN}/12345"),
        ("NOTIFY_APPRISE_URLS", f"mailto://me:{TOKEN}@gmail.com"),
        ("PING_URL", f"https://hc-ping.com/{TOKEN}"),
        ("SMTP_URL", f"smtps://me:{TOKEN}@h.org"),
        ("NOTIFY_WEBHOOK_SECRET", f"whsec_{TOKEN}"),
    ],
)
def test_the_secret_part_of_an_address_is_hidden_wherever_it_is_quoted(
    name: str, value: str
) -> None:
    known = configured_secrets({name: value})
    assert TOKEN not in hide(f"while asking {value}: refused", known)
    if name != "NOTIFY_WEBHOOK_SECRET":
        assert TOKEN not in hide(f"token {TOKEN} is wrong", known)
    assert hide("hooks.slack.com: no notifications", known) == "hooks.slack.com: no notifications"
