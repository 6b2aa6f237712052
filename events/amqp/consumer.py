"""The consumer: stores batch after batch from the broker, until it is stopped."""

from __future__ import annotations

import logging
import random
import threading
import time

from django import db
from django.db import close_old_connections, connections

from events.amqp.batch_store import BatchStore, Held, Outcome
from events.amqp.broker import Broker, BrokerRefused, BrokerUnavailable, QueueOptions
from events.amqp.messages import Message, Rules

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""The interval at which an idle consumer checks whether it is to stop."""

RETRY_FIRST_SECONDS = 0.2
RETRY_LONGEST_SECONDS = 3.0
REPORT_SECONDS = 60.0


class Consumer:
    """Consumes until `stopping` is set; then finishes the current batch."""

    def __init__(self, options: QueueOptions, rules: Rules, stopping: threading.Event, *, batch: int) -> None:
        self.stored = self.known = self.parked = 0
        self._options = options
        self._rules = rules
        self._stopping = stopping
        self._batch = batch
        self._held: list[Message] = []
        self._waiting_customers: set[str] = set()
        self._reported = (time.monotonic(), 0)

    def run(self) -> None:
        """Consume until stopped.

        Raises:
            BrokerRefused: The broker refused the first connection.
        """
        pause = RETRY_FIRST_SECONDS
        connected_before = False
        while not self._stopping.is_set():
            try:
                broker = Broker(self._options)
            except (BrokerUnavailable, BrokerRefused) as error:
                if isinstance(error, BrokerRefused) and not connected_before:
                    raise
                logger.warning("RabbitMQ is away, trying again in %.1f s: %s", pause, error)
                self._stopping.wait(pause * random.uniform(0.7, 1.3))  # noqa: S311 (no secret)
                pause = min(pause * 2, RETRY_LONGEST_SECONDS)
                continue
            connected_before = True
            self._held = []  # The broker delivers them again.
            logger.info("Consuming %s", self._options.queue)
            try:
                while not self._stopping.is_set():
                    self._consume(broker)
                    pause = RETRY_FIRST_SECONDS
            except (BrokerUnavailable, BrokerRefused) as error:
                logger.warning("The connection to RabbitMQ was lost: %s", error)
            finally:
                broker.close()
        logger.info("Stopped: %s", self._counts(self.stored))

    def _consume(self, broker: Broker) -> None:
        # Held ones first, so that a customer's later messages do not overtake them.
        batch = [*self._held, *broker.next_batch(self._batch, wait_seconds=POLL_SECONDS)]
        if batch:
            outcome = self._stored(broker, batch)
            if outcome is None:
                return
            for message, reason in outcome.refused:
                broker.park(message, reason)
            if outcome.refused:
                count, first = len(outcome.refused), outcome.refused[0].reason
                logger.warning("%d messages parked in %s; the first: %s", count, self._options.parking, first)
            self._hold(outcome.held)
            held = {message.tag for message in self._held}
            broker.acknowledge([each for each in batch if each.tag not in held], self._held)
            self.stored += outcome.stored
            self.known += outcome.known
            self.parked += len(outcome.refused)
        self._report()

    def _hold(self, held: list[Held]) -> None:
        """Keep the messages of customers that exceed a quota, without acknowledging them."""
        self._held = [each.message for each in held]
        reasons = {each.customer_id: each.reason for each in held}
        for customer_id in reasons.keys() - self._waiting_customers:
            logger.warning("Events of customer %s wait: %s", customer_id, reasons[customer_id])
        for customer_id in self._waiting_customers - reasons.keys():
            logger.info("Events of customer %s wait no more", customer_id)
        self._waiting_customers = set(reasons)

    def _stored(self, broker: Broker, batch: list[Message]) -> Outcome | None:
        """Store the batch, however long the database does not store; `None` if stopped before."""
        pause = RETRY_FIRST_SECONDS
        failed = False
        storing = BatchStore(batch, self._rules)
        while True:
            close_old_connections()
            try:
                outcome = storing.store()
            except db.Error as error:
                connections.close_all()
                if not failed:
                    logger.warning("Events wait for the database, which is away: %s", _first_line(error))
                failed = True
                deadline = time.monotonic() + pause
                while (left := deadline - time.monotonic()) > 0:
                    if self._stopping.is_set():
                        return None
                    broker.wait(min(left, POLL_SECONDS))
                pause = min(pause * 2, RETRY_LONGEST_SECONDS)
            else:
                if failed:
                    logger.info("The database is back")
                return outcome

    def _report(self) -> None:
        since, stored = self._reported
        now = time.monotonic()
        if now - since >= REPORT_SECONDS:
            if self.stored > stored:
                logger.info("In the last minute: %s", self._counts(self.stored - stored))
            self._reported = (now, self.stored)

    def _counts(self, stored: int) -> str:
        return f"{stored} events stored; in all {self.known} messages known already, {self.parked} parked"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
