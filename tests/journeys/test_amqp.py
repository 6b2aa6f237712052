"""`manage.py consume_amqp` on a real RabbitMQ: clients receive what a backend sent there, once, whatever fails."""

# Long because each outage is tested with the same broker, consumer and queue.

from __future__ import annotations

import os
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.management import CommandError, call_command

from deploy.programs import RABBITMQ
from tests.faults.conftest import FAILPOINTS
from tests.faults.support.databases import query
from tests.journeys.support.amqp_backend import EXCHANGE, Backend
from tests.journeys.support.cast import Company, company, settle
from tests.journeys.support.conversation import Conversation
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.postgres_server import PostgresServer
from tests.support.processes import ServerProcess
from tests.support.rabbitmq_server import RabbitmqServer
from tests.support.reports import end_of_log, shown_on_failure
from tests.support.requirement import require
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitmqServer]:
    server = RabbitmqServer(require(RABBITMQ), tmp_path_factory.mktemp("rabbitmq"))
    yield server
    server.end()


@pytest.fixture(scope="module")
def gateway(gateway_of_file: Gateways) -> Gateway:
    """A process that receives others' events through Redis alone: it looks into the log once a minute."""
    return gateway_of_file(
        "uvicorn", postgres=True, redis=True, CHECK_INTERVAL_SECONDS="60", DATABASE_ANSWER_SECONDS="2"
    )


@pytest.fixture(scope="module")
def acme(gateway: Gateway) -> Company:
    acme = company("Acme")
    settle(gateway, acme)
    return acme


Start = Callable[..., ServerProcess]


@pytest.fixture
def backend(rabbitmq: RabbitmqServer) -> Backend:
    return Backend(rabbitmq, f"queue-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def consume(
    gateway: Gateway,
    rabbitmq: RabbitmqServer,
    backend: Backend,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Start]:
    """Starts a consumer of the backend's queue, and waits until it consumes."""
    log = tmp_path / "consumer.log"
    started: list[ServerProcess] = []

    def start(*options: str, **environment: str) -> ServerProcess:
        bound = [] if "--no-exchange" in options else ["--binding", f"*.{backend.queue}"]
        here = ["--queue", backend.queue, *bound]
        process = ServerProcess(
            [sys.executable, "manage.py", "consume_amqp", *here, *options],
            log,
            environment={**gateway.environment, "AMQP_URL": rabbitmq.url, **environment},
        )
        before = process.log_text().count("Consuming")
        started.append(process)
        process.wait_ready(lambda: process.log_text().count("Consuming") > before, "consume_amqp")
        return process

    with ExitStack() as stack:
        stack.enter_context(shown_on_failure(request.node, lambda: end_of_log(log)))
        yield start
        for process in started:
            process.kill()


def stored(gateway: Gateway, acme: Company, prefix: str) -> list[str]:
    """The ids of stored calls that begin so, in the order of the log."""
    rows = query(gateway.database_url, "SELECT customer_id, resource_id FROM events_event ORDER BY seq")
    return [call_id for owner, call_id in rows if str(owner) == acme.id and call_id.startswith(prefix)]


def call(acme: Company, call_id: str, status: str = "ringing") -> dict[str, Any]:
    return {
        "event_type": "call.status",
        "customer_id": acme.id,
        "data": {"id": call_id, "status": status},
    }


def stop(process: ServerProcess) -> int:
    os.kill(process.pid, signal.SIGTERM)
    return process.wait()


def test_both_shapes_are_received_at_once_on_another_processs_socket_and_poison_is_parked(
    gateway: Gateway, acme: Company, backend: Backend, consume: Start
) -> None:
    consumer = consume()
    with Conversation(gateway, acme.token("manager")) as conversation:
        conversation.subscribe(f"customer_id:{acme.id}:call:*")
        webhook = {"id": "theirs", "customer_id": acme.id, "status": "progressing"}
        backend.send(call(acme, "ours"), b"{no event", {"type": "call_progressing", "data": webhook})
        frames = [conversation.receive(), conversation.receive()]
    assert [frame["data"]["id"] for frame in frames] == ["ours", "theirs"]
    assert frames[1]["data"]["status"] == "answered"
    wait_until(lambda: backend.waiting(backend.parking), "the parked message")
    ((body, headers),) = backend.parked()
    assert body == b"{no event"
    assert "not JSON" in headers["x-voipbin-reason"]
    assert headers["x-voipbin-exchange"] == EXCHANGE
    assert headers["x-voipbin-routing-key"] == f"acme.{backend.queue}"
    assert stop(consumer) == 0
    assert backend.waiting(backend.queue) == 0
    assert "2 events stored; in all 0 messages known already, 1 parked" in consumer.log_text()
    assert "no event" not in consumer.log_text(), "what is in a message is no business of the log's"


def test_what_was_committed_and_not_acknowledged_is_not_stored_twice(
    gateway: Gateway, acme: Company, backend: Backend, consume: Start
) -> None:
    dying = consume("--batch", "1", **FAILPOINTS, FAILPOINTS="kill_after_commit")
    calls = [f"dying-{number:02}" for number in range(40)]
    backend.send(*(call(acme, each) for each in calls[:20]))
    backend.send(*(call(acme, each) for each in calls[20:]))
    assert dying.wait() == -signal.SIGKILL
    assert 0 < len(stored(gateway, acme, "dying-")) < 40
    consumer = consume()
    wait_until(lambda: len(stored(gateway, acme, "dying-")) >= 40, "the rest to be stored")
    assert stop(consumer) == 0
    assert stored(gateway, acme, "dying-") == calls
    assert "events stored; in all 1 messages known already, 0 parked" in consumer.log_text()
    assert backend.waiting(backend.queue) == 0


def test_a_commit_whose_answer_was_lost_is_not_stored_twice(
    gateway: Gateway, acme: Company, backend: Backend, consume: Start
) -> None:
    consumer = consume("--batch", "5", **FAILPOINTS, FAILPOINTS="lost_commit_answer")
    calls = [f"answerless-{number:02}" for number in range(20)]
    backend.send(*(call(acme, each) for each in calls))
    wait_until(lambda: stored(gateway, acme, "answerless-")[-1:] == calls[-1:], "the last one to be stored")
    assert stop(consumer) == 0
    assert "which is away" in consumer.log_text()
    # It may have been stopped before it knew that the last ones are stored: they are delivered again.
    successor = consume("--batch", "5")
    wait_until(lambda: backend.waiting(backend.queue) == 0, "all to be consumed")
    assert stop(successor) == 0
    assert stored(gateway, acme, "answerless-") == calls
    assert backend.waiting(backend.queue) == 0


def test_a_read_only_database_parks_nothing_and_loses_no_audit_record(
    gateway: Gateway, acme: Company, backend: Backend, consume: Start
) -> None:
    """As after a failover to a standby, or when a provider's disk is full."""
    consumer = consume("--batch", "10")
    calls = [f"read-only-{number:02}" for number in range(20)]
    with Conversation(gateway, acme.token("manager")) as conversation:
        conversation.subscribe(f"customer_id:{acme.id}:queue:*")
        set_read_only(gateway, "on")
        try:
            backend.send(*(call(acme, each) for each in calls))
            wait_until(lambda: "which is away" in consumer.log_text(), "the consumer to notice")
            conversation.send({"type": "subscribe", "topics": [f"customer_id:{acme.id}:call:*"]})
            wait_until(
                lambda: "The database does not answer" in gateway.log_text(), "the audit writer to wait"
            )
        finally:
            set_read_only(gateway, "off")
        assert conversation.receive()["status"] == "success"
    wait_until(lambda: stored(gateway, acme, "read-only-")[-1:] == calls[-1:], "the last one to be stored")
    assert stop(consumer) == 0
    assert stored(gateway, acme, "read-only-") == calls
    assert (backend.waiting(backend.queue), backend.waiting(backend.parking)) == (0, 0)


def set_read_only(gateway: Gateway, value: str) -> None:
    """Make the gateway's database read-only, or not, for all sessions."""
    name = urlsplit(gateway.database_url).path.lstrip("/")
    with psycopg.connect(gateway.database_url, autocommit=True) as database:
        database.execute("SET default_transaction_read_only = off")
        database.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_outages_of_the_database_and_the_broker_lose_and_double_nothing(
    gateway: Gateway,
    acme: Company,
    backend: Backend,
    consume: Start,
    rabbitmq: RabbitmqServer,
    postgres_server: PostgresServer,
) -> None:
    consumer = consume("--batch", "10")
    calls = [f"outage-{number:03}" for number in range(60)]
    postgres_server.shut_down()
    backend.send(*(call(acme, each) for each in calls[:50]))
    wait_until(lambda: "which is away" in consumer.log_text(), "the consumer to notice the database")
    rabbitmq.restart()
    wait_until(lambda: "RabbitMQ was lost" in consumer.log_text(), "the consumer to notice the broker")
    postgres_server.restart()
    wait_until(lambda: len(stored(gateway, acme, "outage-")) >= 50, "what had waited to be stored")
    backend.send(*(call(acme, each) for each in calls[50:]))
    wait_until(lambda: len(stored(gateway, acme, "outage-")) >= 60, "what came afterwards to be stored")
    assert stop(consumer) == 0
    assert stored(gateway, acme, "outage-") == calls
    assert backend.waiting(backend.queue) == 0
    assert backend.parked() == []
    assert "Traceback" not in consumer.log_text()


def test_what_was_parked_is_taken_again_once_it_can_be(
    gateway: Gateway, acme: Company, backend: Backend, consume: Start
) -> None:
    nameless = {name: value for name, value in call(acme, "parked-1").items() if name != "customer_id"}
    consumer = consume()
    backend.send(nameless)
    wait_until(lambda: backend.waiting(backend.parking), "the parked message")
    assert stop(consumer) == 0
    again = ("--queue", backend.parking, "--no-exchange", "--parking", f"{backend.queue}.refused")
    consumer = consume(*again, "--customer", acme.id)
    wait_until(lambda: stored(gateway, acme, "parked-"), "the message to be stored")
    assert stop(consumer) == 0
    assert backend.waiting(backend.parking) == 0


def test_of_two_consumers_one_works_and_the_other_takes_over(
    gateway: Gateway, acme: Company, backend: Backend, consume: Start
) -> None:
    first = consume()
    second = consume()
    wait_until(lambda: backend.consumers() == 2, "both to consume")
    backend.send(*(call(acme, f"pair-{number}") for number in range(4)))
    wait_until(lambda: len(stored(gateway, acme, "pair-")) == 4, "the first four")
    first.kill()
    backend.send(call(acme, "pair-4"))
    wait_until(lambda: len(stored(gateway, acme, "pair-")) == 5, "the fifth")
    assert stop(second) == 0
    assert stored(gateway, acme, "pair-") == [f"pair-{number}" for number in range(5)]
    assert "Stopped: 1 events stored" in second.log_text()


def test_events_beyond_a_quota_wait_and_delay_no_other_customers(
    gateway: Gateway, acme: Company, backend: Backend, consume: Start
) -> None:
    globex = company("Globex")
    settle(gateway, globex)
    consumer = consume(CUSTOMER_EVENTS_PER_SECOND="4", PUBLISH_BURST_SECONDS="5")
    calls = [f"quota-{number:02}" for number in range(40)]
    backend.send(*(call(acme, each) for each in calls[:20]))
    wait_until(lambda: len(stored(gateway, acme, "quota-")) == 20, "the burst to be stored")
    backend.send(*(call(acme, each) for each in calls[20:30]), call(globex, "quota-globex"))
    wait_until(lambda: f"Events of customer {acme.id} wait: more than 4" in consumer.log_text(), "the wait")
    wait_until(lambda: stored(gateway, globex, "quota-"), "the other customer's event")
    backend.send(*(call(acme, each) for each in calls[30:]))
    wait_until(lambda: len(stored(gateway, acme, "quota-")) == 40, "all to be stored")
    assert stop(consumer) == 0
    assert stored(gateway, acme, "quota-") == calls
    assert (backend.waiting(backend.queue), backend.waiting(backend.parking)) == (0, 0)
    assert f"Events of customer {acme.id} wait no more" in consumer.log_text()


@pytest.fixture
def signals_as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("", (), "AMQP_URL is not set. For example: AMQP_URL=amqp://"),
        ("{url}", ("--parking", "voipbin_ws.events"), "--parking: "),
        ("{url}", ("--no-exchange", "--binding", "#"), "--no-exchange goes with neither"),
        ("{url}", ("--batch", "0"), "no number from 1 to 10000"),
        ("{url}", ("--customer", "ACME"), "no UUID"),
        ("{wrong}", (), "does not take the user and password in AMQP_URL"),
        ("{url}nowhere", (), "no virtual host 'nowhere'"),
        ("{url}", ("--exchange", "amq.nothing"), "the broker refuses"),
    ],
)
def test_what_is_wrong_with_the_configuration_is_reported_in_one_line(
    rabbitmq: RabbitmqServer,
    settings: Any,
    signals_as_before: None,
    url: str,
    options: tuple[str, ...],
    said: str,
) -> None:
    wrong = rabbitmq.url.replace("guest:guest", "guest:secret")
    settings.AMQP_URL = url.format(url=rabbitmq.url, wrong=wrong)
    with pytest.raises(CommandError, match=said) as refused:
        call_command("consume_amqp", *options)
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)
