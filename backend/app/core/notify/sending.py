"""Delivers messages, at least once.

A process leases a delivery: it moves its `due_at` into the future and commits. If the process dies,
the delivery is due again at that time, and another process resends the message under the same id.
No transaction is open while the process waits for a receiver.
"""

import asyncio
import logging
from dataclasses import dataclass

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.notify.message import Channel, Message, NotDelivered
from app.core.notify.notice import one_line

logger = logging.getLogger(__name__)

MAX_AT_ONCE = 8
"""The number of messages that a process sends concurrently through one channel."""

CHANNEL_TIMEOUT = 90.0
"""The timeout of a message in seconds."""

LEASE_SECONDS = 120.0
"""Seconds after which a leased delivery is due again."""

BACKOFF_BASE, BACKOFF_CAP = 10.0, 3_600.0
"""Seconds until the second attempt, and the maximum between two attempts. The backoff doubles with
each attempt and has jitter."""

MAX_RETRY_AFTER = 86_400.0
"""The maximum number of seconds for which a receiver may postpone a message."""

GIVE_UP_AFTER = "7 days"
"""The time for which a delivery is retried. After that, the message is no longer news."""

# a time in the far future means that PostgreSQL's clock was set back, so it counts as due
_CLAIM = text(
    """
    UPDATE notification_deliveries d
    SET attempts = d.attempts + 1, due_at = clock_timestamp() + make_interval(secs => :lease)
    FROM (
      SELECT notification_id, channel FROM notification_deliveries
      WHERE state = 'pending' AND channel = :channel
        AND (due_at <= clock_timestamp() OR due_at > clock_timestamp() + interval '3 days')
      ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED
    ) due, notifications n
    WHERE d.notification_id = due.notification_id AND d.channel = due.channel
      AND n.id = d.notification_id
    RETURNING d.notification_id, d.channel, d.attempts, n.message_id, n.kind, n.severity, n.at,
      n.title, n.text, n.detail
    """
)

_DELIVERED = text(
    """
    UPDATE notification_deliveries
    SET state = 'delivered', delivered_at = clock_timestamp(), error = NULL
    WHERE notification_id = :notification_id AND channel = :channel AND state <> 'delivered'
    """
)

# the check of `attempts`: if this process was slow, another process may have leased it meanwhile
_FAILED = text(
    """
    UPDATE notification_deliveries d SET error = :error,
      state = CASE WHEN :permanent THEN 'refused'
        WHEN n.created_at < clock_timestamp() - CAST(:give_up AS interval) THEN 'given up'
        ELSE 'pending' END,
      due_at = clock_timestamp() + make_interval(secs => greatest(CAST(:retry_after AS float8),
        least(:cap, :base * power(2, least(d.attempts - 1, 30))) * (0.5 + random() / 2)))
    FROM notifications n
    WHERE d.notification_id = :notification_id AND d.channel = :channel
      AND n.id = d.notification_id AND d.attempts = :attempts AND d.state = 'pending'
    RETURNING d.state
    """
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends the due deliveries of a channel.

    Args:
        db: PostgreSQL, in autocommit mode.
        channel: the channel.
    """

    db: AsyncEngine
    channel: Channel

    async def send(self) -> None:
        """Send all due deliveries."""
        while await self._send_batch():
            pass

    async def _send_batch(self) -> bool:
        """Send a batch of due deliveries, and return whether there may be more."""
        values = {
            "channel": self.channel.name,
            "lease": LEASE_SECONDS,
            "most": MAX_AT_ONCE,
        }
        async with self.db.connect() as connection:
            rows = (await connection.execute(_CLAIM, values)).mappings().all()
        ended = await asyncio.gather(*map(self._deliver, rows), return_exceptions=True)
        for error in ended:
            if error is not None:
                raise error
        return len(rows) == MAX_AT_ONCE

    async def _deliver(self, row: RowMapping) -> None:
        key = {"notification_id": row["notification_id"], "channel": row["channel"]}
        failure = await self._try(_message(row))
        async with self.db.connect() as connection:
            if failure is None:
                await connection.execute(_DELIVERED, key)
                return
            reason = one_line(failure.reason, 500)
            values = {
                "error": reason,
                "permanent": failure.permanent,
                "retry_after": min(failure.retry_after or 0.0, MAX_RETRY_AFTER),
                "attempts": row["attempts"],
                "give_up": GIVE_UP_AFTER,
                "base": BACKOFF_BASE,
                "cap": BACKOFF_CAP,
            }
            state = (await connection.execute(_FAILED, key | values)).scalar_one_or_none()
        next_step = "it is retried later" if state == "pending" else "it is not retried"
        logger.warning(
            "notification %d was not delivered through %s, attempt %d; %s: %s",
            *(*key.values(), row["attempts"], next_step, reason),
        )

    async def _try(self, message: Message) -> NotDelivered | None:
        try:
            async with asyncio.timeout(CHANNEL_TIMEOUT):
                await self.channel.send(message)
        except NotDelivered as error:
            return error
        except TimeoutError:
            return NotDelivered(f"no answer within {CHANNEL_TIMEOUT:.0f} s")
        except Exception as error:
            # not raised, because the channel may be able to deliver the next message
            logger.exception("the channel %s failed to send a message", self.channel.name)
            return NotDelivered(f"{type(error).__name__}, see the log")
        return None


def _message(row: RowMapping) -> Message:
    return Message(
        id=f"msg_{row['message_id'].hex}",
        kind=row["kind"],
        severity=row["severity"],
        at=row["at"],
        title=row["title"],
        text=row["text"],
        detail=row["detail"],
    )
