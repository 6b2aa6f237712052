"""`manage.py consume_amqp`: store events from RabbitMQ."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.amqp.batch_store import rules_of_settings
from events.amqp.broker import BrokerRefused, QueueOptions
from events.amqp.consumer import Consumer
from events.management.arguments import customer_id
from voipbin_ws.postgres import GatewayConnection

QUEUE = "voipbin_ws.events"
EXCHANGE = "voipbin.events"
BATCH = 500
MAX_NAME_BYTES = 255
"""AMQP 0-9-1, 4.2.5.3: a short string has at most 255 bytes."""


class Command(BaseCommand):
    """The `consume_amqp` command."""

    help = (
        "Take events from RabbitMQ, at the address in AMQP_URL, until SIGTERM or Ctrl-C. A message is one event as "
        "POST /v1.0/events takes it, or as VoIPBIN publishes it ({type, data}), with its customer_id. It is "
        "acknowledged once its event is committed; one that is no event goes to the parking queue, with the reason in "
        "the header x-voipbin-reason. Queues and exchanges that are missing are made. Of several such processes one "
        "works, and the others stand by."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queue", type=_name, default=QUEUE, help=f"the queue to consume ({QUEUE})")
        parser.add_argument(
            "--exchange",
            type=_name,
            action="append",
            help=f"an exchange to bind the queue to; may be repeated ({EXCHANGE})",
        )
        parser.add_argument(
            "--binding", type=_name, action="append", help="a routing key to bind with; may be repeated (#)"
        )
        parser.add_argument(
            "--exchange-type",
            choices=("topic", "fanout", "direct", "headers"),
            default="topic",
            help="the type of an exchange that has to be made (topic)",
        )
        parser.add_argument(
            "--queue-type",
            choices=("classic", "quorum"),
            default="classic",
            help="the type of queues that have to be made (classic); quorum in a cluster",
        )
        parser.add_argument(
            "--no-exchange", action="store_true", help="leave the queue's bindings as they are"
        )
        parser.add_argument("--parking", type=_name, help="the queue for what is no event (<queue>.parked)")
        parser.add_argument(
            "--batch", type=_batch, default=BATCH, help=f"messages in one commit, at most ({BATCH})"
        )
        parser.add_argument(
            "--customer", type=customer_id, help="whose the messages are that name no customer_id"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.AMQP_URL:
            raise CommandError(
                "AMQP_URL is not set. For example: AMQP_URL=amqp://user:password@mq.example.com:5672/"
            )
        if options["no_exchange"] and (options["exchange"] or options["binding"]):
            raise CommandError("--no-exchange goes with neither --exchange nor --binding")
        parking = options["parking"] or f"{options['queue']}.parked"
        if parking == options["queue"]:
            raise CommandError(
                "--parking: messages that are no events cannot stay in the queue they came from: name another"
            )
        queue_options = QueueOptions(
            url=settings.AMQP_URL,
            queue=options["queue"],
            parking=parking,
            exchanges=() if options["no_exchange"] else tuple(options["exchange"] or [EXCHANGE]),
            bindings=tuple(options["binding"] or ["#"]),
            exchange_type=options["exchange_type"],
            queue_type=options["queue_type"],
            prefetch=2 * options["batch"],
        )
        GatewayConnection.answer_seconds = settings.DATABASE_ANSWER_SECONDS
        rules = rules_of_settings(options["customer"] or "")
        consumer = Consumer(queue_options, rules, _until_signalled(), batch=options["batch"])
        try:
            consumer.run()
        except BrokerRefused as error:
            raise CommandError(f"RabbitMQ: {error}") from None


def _until_signalled() -> threading.Event:
    """Return an event that SIGTERM or SIGINT sets; a second signal ends the process at once."""
    stopping = threading.Event()

    def stop(number: int, _frame: object) -> None:
        if stopping.is_set():
            sys.exit(128 + number)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopping


def _name(text: str) -> str:
    if not 1 <= len(text.encode()) <= MAX_NAME_BYTES:
        raise argparse.ArgumentTypeError(f"write 1 to {MAX_NAME_BYTES} bytes")
    return text


def _batch(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 10000")
    return int(text)
