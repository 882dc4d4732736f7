"""The settings of channels."""

from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from app.core.config import Settings
from app.core.notify.channels import signature, smtp_address
from app.core.notify.channels.smtp_address import SmtpServer
from app.core.notify.channels.targets import Target, check_web_address, read_webhooks
from app.core.process.checkout import ROOT
from app.core.process.env_file import load_part


class ChannelFields(BaseSettings):
    """The settings of the channels only.

    They are read separately to report that a process could not start, which may be due to other
    settings that are invalid.
    """

    model_config = Settings.model_config

    notify_allow_private: bool = Field(
        default=False, json_schema_extra={"section": "Notification channels"}
    )
    """`True`: webhooks and `PING_URL` may use private, loopback, link-local and shared addresses.
    `http://` is then allowed for this host itself."""

    notify_webhook_urls: SecretStr | None = None
    """The addresses of webhooks, separated by blanks: `https://host/path`. They are secrets. If the
    host does not tell the format of the messages, put it before the address: `slack+https://`,
    `teams+https://`, `mattermost+https://`, or `json+https://` for the payload of Standard
    Webhooks, which is the default."""

    notify_webhook_secret: SecretStr | None = None
    """The secret that signs webhooks: `whsec_` and 24 to 64 random bytes in base64. To replace it,
    set the new and the old one for a while, separated by a blank. Without a secret, webhooks are
    not signed."""

    smtp_url: SecretStr | None = None
    """The SMTP server: `smtps://user:password@host:465` with TLS, or
    `smtp://user:password@host:587` with STARTTLS. Write special characters in the user and the
    password percent-encoded. The connection to this host itself (`smtp://localhost:25`) is not
    encrypted. For another host without encryption, add `?tls=off`; a password is not allowed
    then."""

    notify_email_from: str | None = None
    """The sender of e-mails. By default, this is the user in `SMTP_URL`, if the user is an e-mail
    address."""

    notify_email_to: str | None = None
    """The recipients of e-mails, separated by commas."""

    notify_apprise_urls: SecretStr | None = None
    """Addresses of Apprise, separated by blanks, for services that webhooks and e-mail do not
    reach. They are secrets, and need the packages in `requirements/apprise.txt`."""

    ping_url: SecretStr | None = None
    """The address that is called while at least one worker is alive and no queue is stuck. A
    monitoring service can alert you when the calls stop. The address is a secret."""

    ping_interval: int = Field(300, ge=10, le=86_400)
    """Seconds between two calls of `PING_URL`."""

    @field_validator("notify_webhook_urls")
    @classmethod
    def _webhooks(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None:
            private = bool(info.data.get("notify_allow_private"))
            read_webhooks(value.get_secret_value(), allow_private=private)
        return value

    @field_validator("notify_webhook_secret")
    @classmethod
    def _keys(cls, value: SecretStr | None) -> SecretStr | None:
        for name in value.get_secret_value().split() if value else ():
            signature.key_of(name)
        return value

    @field_validator("smtp_url")
    @classmethod
    def _server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            smtp_address.parse(value.get_secret_value())
        return value

    @field_validator("notify_email_from")
    @classmethod
    def _from(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            (value,) = smtp_address.parse_people(value)[:1]
        elif (server := info.data.get("smtp_url")) is not None:
            user = smtp_address.parse(server.get_secret_value()).user or ""
            try:
                smtp_address.parse_people(user)
            except ValueError:
                message = "the address that e-mail comes from, because SMTP_URL does not name it"
                raise ValueError(message) from None
        return value

    @field_validator("notify_email_to")
    @classmethod
    def _to(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "smtp_url" not in info.data:
            return value  # SMTP_URL is invalid, which is already reported
        server = info.data["smtp_url"]
        if value is not None and server is None:
            message = "only together with SMTP_URL, the server for e-mail"
            raise ValueError(message)
        if value is None and server is not None:
            message = "the addresses that e-mail goes to, because SMTP_URL is set"
            raise ValueError(message)
        if value is not None:
            smtp_address.parse_people(value)
        return value

    @field_validator("ping_url")
    @classmethod
    def _ping(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None:
            private = bool(info.data.get("notify_allow_private"))
            check_web_address(value.get_secret_value(), allow_private=private)
        return value

    @property
    def webhooks(self) -> tuple[Target, ...]:
        """The targets of webhooks."""
        if self.notify_webhook_urls is None:
            return ()
        text = self.notify_webhook_urls.get_secret_value()
        return read_webhooks(text, allow_private=self.notify_allow_private)

    @property
    def webhook_keys(self) -> tuple[bytes, ...]:
        """The keys that sign webhooks."""
        secret = self.notify_webhook_secret
        return tuple(map(signature.key_of, secret.get_secret_value().split() if secret else ()))

    @property
    def smtp_server(self) -> SmtpServer | None:
        """The SMTP server; None if there is no e-mail."""
        return (
            None if self.smtp_url is None else smtp_address.parse(self.smtp_url.get_secret_value())
        )

    @property
    def email_from(self) -> str:
        """The sender's address; empty if there is no server."""
        server = self.smtp_server
        return self.notify_email_from or (server.user if server and server.user else "")

    @property
    def email_to(self) -> tuple[str, ...]:
        """The addresses of the recipients of e-mail."""
        return smtp_address.parse_people(self.notify_email_to) if self.notify_email_to else ()

    @property
    def apprise_urls(self) -> tuple[str, ...]:
        """The addresses of Apprise."""
        urls = self.notify_apprise_urls
        return tuple(urls.get_secret_value().split()) if urls else ()

    @property
    def channel_names(self) -> list[str]:
        """The names of the configured channels, which are not opened."""
        mail = ["e-mail"] if self.smtp_url is not None else []
        return [
            *_numbered("webhook", len(self.webhooks)),
            *mail,
            *_numbered("apprise", len(self.apprise_urls)),
        ]


class ChannelSettings(ChannelFields, Settings):
    """The settings of the engine and of the notification channels."""


def load_channel_settings(env_file: Path = ROOT / ".env") -> ChannelFields:
    """Read the settings of the channels, even if others are invalid.

    Raises:
        WrongUse: some settings of channels are invalid. The message lists every problem with the
            variable, the value that was found and the values that are allowed.
    """
    return load_part(ChannelFields, env_file)


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name} {number}" for number in range(1, count + 1)]
