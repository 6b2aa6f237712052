"""The number of a customer's connections: exactly here, and as last learned elsewhere."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from subscriptions.models import GatewayProcess, LiveConnection
from subscriptions.presence.customer_connections import CustomerConnections, count_live
from tests.events.support.people import new_id


def test_a_customer_enters_until_there_is_no_room_and_again_when_one_has_left() -> None:
    connections = CustomerConnections()
    assert [connections.enter("acme", 2) for _ in range(3)] == [True, True, False]
    assert connections.enter("globex", 2)
    connections.leave("acme")
    assert connections.has_room("acme", 2)
    assert [connections.enter("acme", 2) for _ in range(2)] == [True, False]


def test_what_is_open_elsewhere_takes_room() -> None:
    connections = CustomerConnections()
    connections.learn({"acme", "globex"}, {"acme": 2})
    assert [connections.enter("acme", 3) for _ in range(2)] == [True, False]
    assert connections.enter("globex", 1)
    connections.learn({"acme"}, {})
    assert connections.enter("acme", 3)


def test_only_customers_with_handshakes_and_a_limit_are_looked_up() -> None:
    connections = CustomerConnections()
    connections.enter("acme", 1)
    connections.enter("acme", 1)
    connections.enter("unlimited", 0)
    assert connections.take_outdated() == {"acme"}
    assert connections.take_outdated() == set()
    # Refused ones too, since there may be room by now.
    connections.enter("acme", 1)
    assert connections.take_outdated() == {"acme"}


@pytest.mark.django_db
def test_connections_of_processes_that_are_alive_are_counted() -> None:
    acme, globex = new_id(), new_id()
    own, other, crashed = [
        GatewayProcess.objects.create(id=new_id(), name="p", lease_ends_at=Now() + timedelta(seconds=seconds))
        for seconds in (60, 60, -60)
    ]
    for process, customer_id in ((own, acme), (other, acme), (other, acme), (other, globex), (crashed, acme)):
        LiveConnection.objects.create(
            id=new_id(),
            process=process,
            customer_id=customer_id,
            credential="key vb_1",
            is_platform_staff=False,
            opened_at=timezone.now(),
        )
    assert count_live({acme}) == {acme: 3}
    assert count_live({acme, globex, new_id()}, except_process=own.pk) == {acme: 2, globex: 1}
