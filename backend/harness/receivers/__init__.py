"""Imitations of what receives notifications: an SMTP server and a receiver of webhooks.

Both listen on a free loopback port, in a thread of their own, and have faults. They are used as
context managers::

    with SmtpServer() as smtp, WebhookReceiver(secret="whsec_...") as webhook:
        ...
        webhook.faults.queue("503", "drop")
        smtp.faults.at_random(0.5, seed=1)
"""

from harness.receivers.faults import Faults
from harness.receivers.smtp import Mail, SmtpServer
from harness.receivers.webhook import Delivery, WebhookReceiver

__all__ = ["Delivery", "Faults", "Mail", "SmtpServer", "WebhookReceiver"]
