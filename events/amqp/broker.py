"""The connection to RabbitMQ: declaring queues, receiving, parking and acknowledging."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import (
    AMQPConnectionError,
    AMQPError,
    ChannelClosedByBroker,
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from events.amqp.messages import Message

HEARTBEAT_SECONDS = 60
"""Longer than a commit may take: the broker gets no heartbeat during one."""

ANSWER_SECONDS = 10.0
REASON_HEADER = "x-voipbin-reason"
EXCHANGE_HEADER = "x-voipbin-exchange"
ROUTING_KEY_HEADER = "x-voipbin-routing-key"
MAX_REASON = 1000
NOT_FOUND = 404

# pika logs each failure several times, with tracebacks; its exceptions have the reason.
logging.getLogger("pika").setLevel(logging.CRITICAL)


class BrokerUnavailable(Exception):
    """The broker cannot be reached, or closed the connection; a later attempt may succeed."""


class BrokerRefused(Exception):
    """The broker refuses the credential or the configuration; an operator must change it."""


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """The queue to consume, and the properties of missing queues and exchanges.

    `parking` is the queue for refused messages; `prefetch` is the most unacknowledged messages.
    """

    url: str
    queue: str
    parking: str
    exchanges: tuple[str, ...]
    bindings: tuple[str, ...]
    exchange_type: str
    queue_type: str
    prefetch: int


class Broker:
    """An open connection that consumes the queue; methods raise BrokerUnavailable if lost."""

    def __init__(self, options: QueueOptions) -> None:
        """Connect, declare what is missing, and start to consume.

        Raises:
            BrokerUnavailable: The broker does not answer.
            BrokerRefused: The broker refuses the credential or the configuration.
        """
        self._options = options
        self._arrived: list[Message] = []
        self._envelopes: dict[int, tuple[pika.spec.Basic.Deliver, pika.BasicProperties]] = {}
        self._cancelled = False
        parameters = pika.URLParameters(options.url)
        parameters.heartbeat = HEARTBEAT_SECONDS
        parameters.socket_timeout = parameters.stack_timeout = ANSWER_SECONDS
        parameters.blocked_connection_timeout = HEARTBEAT_SECONDS
        parameters.client_properties = {"connection_name": "voipbin-ws consume_amqp"}
        self._connection = _connected(parameters)
        try:
            with _broker_errors():
                self._channel = self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> BlockingChannel:
        options = self._options
        lasting = {"durable": True}
        self._make("queue", options.parking, lasting | {"arguments": {"x-queue-type": options.queue_type}})
        self._make("queue", options.queue, lasting | {"arguments": _arguments(options)})
        for exchange in options.exchanges:
            self._make("exchange", exchange, lasting | {"exchange_type": options.exchange_type})
            with self._connection.channel() as channel:
                for binding in options.bindings:
                    channel.queue_bind(options.queue, exchange, routing_key=binding)
        channel = self._connection.channel()
        channel.confirm_delivery()
        channel.basic_qos(prefetch_count=options.prefetch)
        channel.add_on_cancel_callback(self._on_cancel)
        channel.basic_consume(options.queue, self._on_message)
        return channel

    def _make(self, kind: str, name: str, properties: Mapping[str, Any]) -> None:
        """Declare a queue or exchange if it is missing; an existing one may have other properties."""
        try:
            with self._connection.channel() as channel:
                getattr(channel, f"{kind}_declare")(name, passive=True)
        except ChannelClosedByBroker as error:
            if error.reply_code != NOT_FOUND:
                raise
            with self._connection.channel() as channel:
                getattr(channel, f"{kind}_declare")(name, **properties)

    def next_batch(self, most: int, *, wait_seconds: float) -> list[Message]:
        """Return at most `most` messages that have arrived; wait for the first one."""
        with _broker_errors():
            if not self._arrived:
                self._connection.process_data_events(wait_seconds)
            before = -1
            while before < len(self._arrived) < most:
                before = len(self._arrived)
                self._connection.process_data_events(0)
        if self._cancelled:
            raise BrokerUnavailable("the queue was deleted, or moved to another node")
        batch, self._arrived = self._arrived[:most], self._arrived[most:]
        return batch

    def wait(self, seconds: float) -> None:
        """Wait, and answer the broker's heartbeats meanwhile."""
        with _broker_errors():
            self._connection.sleep(seconds)

    def park(self, message: Message, reason: str) -> None:
        """Copy a message to the parking queue with the reason; wait for the confirmation."""
        deliver, properties = self._envelopes[message.tag]
        properties.headers = {
            **(properties.headers or {}),
            REASON_HEADER: reason[:MAX_REASON],
            EXCHANGE_HEADER: deliver.exchange,
            ROUTING_KEY_HEADER: deliver.routing_key,
        }
        properties.delivery_mode = pika.DeliveryMode.Persistent.value
        properties.expiration = None
        properties.user_id = None  # The broker accepts only the user id of this connection.
        with _broker_errors():
            self._channel.basic_publish("", self._options.parking, message.body, properties, mandatory=True)

    def acknowledge(self, messages: Sequence[Message], held: Collection[Message]) -> None:
        """Acknowledge these messages.

        `held` are the others that were delivered and are not acknowledged.
        """
        done = sorted(each.tag for each in messages)
        first_held = min((each.tag for each in held), default=math.inf)
        together = [tag for tag in done if tag < first_held]
        with _broker_errors():
            if together:
                self._channel.basic_ack(together[-1], multiple=True)
            for tag in done[len(together) :]:
                self._channel.basic_ack(tag)
        for tag in done:
            del self._envelopes[tag]

    def close(self) -> None:
        """Close the connection; the broker delivers unacknowledged messages again."""
        try:
            if self._connection.is_open:
                self._connection.close()
        except AMQPError:
            pass

    def _on_message(
        self,
        channel: BlockingChannel,
        deliver: pika.spec.Basic.Deliver,
        properties: pika.BasicProperties,
        body: bytes,
    ) -> None:
        tag = deliver.delivery_tag
        self._envelopes[tag] = (deliver, properties)
        self._arrived.append(
            Message(tag, body, properties.message_id, deliver.redelivered, properties.content_encoding)
        )

    def _on_cancel(self, method: Any) -> None:
        self._cancelled = True


def _arguments(options: QueueOptions) -> dict[str, Any]:
    # The broker serves one of several consumers: two would change the order of events.
    arguments: dict[str, Any] = {"x-queue-type": options.queue_type, "x-single-active-consumer": True}
    if options.queue_type == "quorum":
        # Such a queue drops what was delivered too often: into the parking queue.
        arguments |= {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": options.parking}
    return arguments


def _connected(parameters: pika.URLParameters) -> pika.BlockingConnection:
    where = f"{parameters.host}:{parameters.port}"
    try:
        return pika.BlockingConnection(parameters)
    except ProbableAuthenticationError:
        raise BrokerRefused(f"{where} does not take the user and password in AMQP_URL") from None
    except ProbableAccessDeniedError:
        raise BrokerRefused(
            f"{where} has no virtual host {parameters.virtual_host!r}, or not for this user (see AMQP_URL)"
        ) from None
    except ConnectionClosedByBroker as error:
        raise BrokerRefused(f"{where} refuses the connection: {error.reply_text}") from None
    except (AMQPError, OSError) as error:
        raise BrokerUnavailable(f"{where} does not answer ({_one_line(error)})") from None


@contextmanager
def _broker_errors() -> Iterator[None]:
    """Raise BrokerRefused or BrokerUnavailable for pika's errors."""
    try:
        yield
    except ChannelClosedByBroker as error:
        raise BrokerRefused(f"the broker refuses: {error.reply_text}") from None
    except (AMQPError, OSError) as error:
        raise BrokerUnavailable(_one_line(error)) from None


def _one_line(error: BaseException) -> str:
    """Describe an error of pika, which often contains another one, in one line."""
    inner: Any = error.args[0] if isinstance(error, AMQPConnectionError) and error.args else None
    while isinstance(inner, BaseException):
        error = inner
        inner = getattr(error, "exceptions", None) or getattr(error, "exception", None)
        inner = inner[-1] if isinstance(inner, list | tuple) and inner else inner
    said = str(error).splitlines()
    return f"{type(error).__name__}: {said[0]}" if said and said[0] else type(error).__name__
