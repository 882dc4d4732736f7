"""Measures the delivery of notifications: `python -m bench notifications`.

Events: 10,000 runs of different requests fail. A receiver of webhooks and an SMTP server meet half
of the deliveries with a fault: a status, a closed connection, or an answer that is lost. 2 workers
send, and one of them gets SIGKILL every 10 seconds; another one is started in its place. The time
until the next attempt, and the time after which the deliveries of a dead worker are taken over, are
cut to a second, because they would add up to hours. At the end, each notification has arrived at
both, and what arrived more than once had the same id.

Idle: the statements and the time that PostgreSQL needs while nothing happens, with 1 and 10
workers, without a channel and with two.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import click

from bench._measured import machine, write
from bench._plant import Plant, plant
from bench._statements import logging_statements
from harness import Process
from harness.receivers import SmtpServer, WebhookReceiver
from reference import markdown

EVENTS = 10_000
WORKERS = 2
BETWEEN_KILLS = 10.0
MAX_SECONDS = 1_800.0
IDLE = 30.0
SETTLE = 5.0

_FAIL = """
WITH run AS (
  INSERT INTO runs (task, sources, mode, state, error, finished_at)
  SELECT 'run_pipeline_task', ARRAY['s' || n], 'smart', 'failed', 'bench', now()
  FROM generate_series(1, %(count)s::int) n RETURNING id)
INSERT INTO run_events (run_id, epoch, event, detail)
SELECT id, 1, 'failed', '{"reason": "bench"}' FROM run
"""

_SOON = """
UPDATE notification_deliveries SET due_at = clock_timestamp()
WHERE state = 'pending' AND attempts > 0 AND due_at > clock_timestamp()
  AND (error IS NOT NULL OR %(over)s)
"""

_STATES = "SELECT channel, state, count(*) AS n FROM notification_deliveries GROUP BY 1, 2"

_IDS = "SELECT 'msg_' || replace(message_id::text, '-', '') AS id FROM notifications"


@contextmanager
def _channels(found: Plant) -> Iterator[tuple[WebhookReceiver, SmtpServer]]:
    with WebhookReceiver() as webhook, SmtpServer() as smtp:
        found.env |= {
            "NOTIFY_WEBHOOK_URLS": webhook.url,
            "NOTIFY_ALLOW_PRIVATE": "True",
            "SMTP_URL": f"smtp://{smtp.address}",
            "NOTIFY_EMAIL_FROM": "bench@example.org",
            "NOTIFY_EMAIL_TO": "ada@example.org",
        }
        yield webhook, smtp
        for name in ("NOTIFY_WEBHOOK_URLS", "SMTP_URL", "NOTIFY_EMAIL_FROM", "NOTIFY_EMAIL_TO"):
            del found.env[name]


def _deliver(found: Plant, events: int) -> str:
    head = ("channel", "notifications", "arrived", "lost", "arrived again", "faults", "seconds")
    rows = []
    with _channels(found) as (webhook, smtp):
        webhook.faults.at_random(0.5, kinds=["503", "429", "500", "drop", "late"], seed=1)
        smtp.faults.at_random(0.5, kinds=["421", "451", "452", "drop", "late"], seed=2)
        workers = [found.ready_worker() for _ in range(WORKERS)]
        began = time.monotonic()
        found.rows(_FAIL, count=events)
        done = _seen_through(found, workers, 2 * events, began)
        for worker in workers:
            worker.terminate()
        expected = {row["id"] for row in found.rows(_IDS)}
        mails = [id_.split("@")[0].strip("<") for id_ in smtp.ids]
        for name, ids, faults in (
            ("webhook", webhook.ids, webhook.faults.met),
            ("e-mail", mails, smtp.faults.met),
        ):
            arrived = Counter(ids)
            strange = arrived.keys() - expected
            assert not strange, f"ids of no notification: {list(strange)[:3]}"
            rows.append(
                (
                    name,
                    f"{len(expected):,}",
                    f"{len(arrived):,}",
                    str(len(expected - arrived.keys())),
                    f"{sum(count - 1 for count in arrived.values()):,}",
                    f"{faults:,}",
                    f"{done:.0f}",
                )
            )
    return markdown.table(head, rows)


def _seen_through(found: Plant, workers: list[Process], deliveries: int, began: float) -> float:
    """Kill workers until everything is delivered. Return the seconds."""
    next_kill = began + BETWEEN_KILLS
    while time.monotonic() < began + MAX_SECONDS:
        time.sleep(1)
        killed = time.monotonic() >= next_kill
        if killed:
            dead = workers.pop(0)
            os.kill(dead.pid, signal.SIGKILL)
            dead.wait(10)
            workers.append(found.ready_worker())
            next_kill = time.monotonic() + BETWEEN_KILLS
        # deliveries that a live worker is sending must not be taken over
        found.rows(_SOON, over=killed)
        states: Counter[str] = Counter()
        for row in found.rows(_STATES):
            states[row["state"]] += row["n"]
        if states["delivered"] == deliveries:
            return time.monotonic() - began
    raise click.ClickException(f"after {MAX_SECONDS:.0f} s: {dict(states)}")


def _idle(found: Plant, count: int) -> tuple[float, float, float]:
    """Return PostgreSQL's statements and milliseconds a second, in total and for notifications."""
    workers = [found.worker() for _ in range(count)]
    for worker in workers:
        worker.says("is alive")
    time.sleep(SETTLE)
    with logging_statements(found.postgres) as log:
        time.sleep(IDLE)
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.wait(30)
    executed = [each for each in log if each.executed and "bench" not in each.session]
    mine = [each for each in executed if "notifications" in each.session]
    ms = sum(each.ms for each in log if "notifications" in each.session)
    return len(executed) / IDLE, len(mine) / IDLE, ms / IDLE


def _costs(found: Plant) -> str:
    head = ("workers", "channels", "statements/s", "statements/s of notifications", "ms/s of these")
    rows = []
    for count in (1, 10):
        for channels in (0, 2):
            if channels:
                with _channels(found):
                    figures = _idle(found, count)
            else:
                figures = _idle(found, count)
            every, mine, ms = figures
            rows.append((str(count), str(channels), f"{every:.1f}", f"{mine:.2f}", f"{ms:.2f}"))
    return markdown.table(head, rows)


@click.command()
@click.option("--events", default=EVENTS, show_default=True)
def main(events: int) -> None:
    """Measure deliveries with faults and kills, and the cost of polling when idle."""
    with plant() as found:
        facts = machine(found)
        costs = _costs(found)
        click.echo(costs)
        delivered = _deliver(found, events)
        click.echo(delivered)
    page = write(
        "notifications",
        "Notifications under faults",
        f"{events:,} runs fail, and each is notified by webhook and by e-mail. Half of the"
        " deliveries meet a fault: a status, a closed connection, or an answer that is lost after"
        f" the message has arrived. {WORKERS} workers send, and every {BETWEEN_KILLS:.0f} s one of"
        " them gets SIGKILL. Another one is started in its place. The time until the next"
        " attempt is cut to a second, because it would add up to hours.",
        delivered,
        "Repeated messages had the same id as the first ones, and each id was that of a"
        " notification.",
        "While nothing happens, the notifications cost PostgreSQL this much. Without a channel, no"
        " process asks for anything.",
        costs,
        shows="whether each notification arrives while receivers and senders fail, and what the"
        " notifications cost while nothing happens",
        command="nox -s bench -- notifications",
        facts=facts,
    )
    click.echo(f"{page}")


if __name__ == "__main__":
    main()
