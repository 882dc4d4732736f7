"""Fake recipients of notifications: an SMTP server and a webhook receiver.

Each of them listens on a free loopback port, runs in its own thread and can simulate faults. Use
them as context managers::

    with SmtpServer() as smtp, WebhookReceiver(secret="whsec_...") as webhook:
        ...
        webhook.faults.queue("503", "drop")
        smtp.faults.at_random(0.5, seed=1)
"""

from harness.receivers.faults import Faults
from harness.receivers.smtp import Mail, SmtpServer
from harness.receivers.webhook import Delivery, WebhookReceiver

__all__ = ["Delivery", "Faults", "Mail", "SmtpServer", "WebhookReceiver"]
