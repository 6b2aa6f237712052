"""The agents who serve a queue."""

from __future__ import annotations

import pytest

from subscriptions.event_hooks.queue_agents import agents_serving
from subscriptions.models import Queue
from tests.subscriptions.support.people import agent, customer

pytestmark = pytest.mark.django_db


def test_the_agents_who_serve_a_queue_are_found() -> None:
    acme, globex = customer(), customer("Globex")
    support, sales, empty = (Queue.objects.create(customer=acme, name=name) for name in ("a", "b", "c"))
    theirs = Queue.objects.create(customer=globex, name="theirs")
    ann, bob, off = agent(acme), agent(acme), agent(acme, is_active=False)
    gus = agent(globex)
    ann.queues.set([support, sales])
    bob.queues.set([support])
    off.queues.set([support])
    gus.queues.set([theirs])
    wanted = {(str(queue.customer_id), str(queue.pk)) for queue in (support, sales, empty, theirs)}
    serving = agents_serving(wanted)
    assert {key[1]: set(ids) for key, ids in serving.items()} == {
        str(support.pk): {str(ann.pk), str(bob.pk)},
        str(sales.pk): {str(ann.pk)},
        str(theirs.pk): {str(gus.pk)},
    }


def test_a_queue_of_another_customer_has_no_agents_for_this_one() -> None:
    acme, globex = customer(), customer("Globex")
    queue = Queue.objects.create(customer=acme, name="a")
    ann, stranger = agent(acme), agent(globex)
    ann.queues.set([queue])
    stranger.queues.set([queue])
    assert agents_serving([(str(globex.pk), str(queue.pk))]) == {}
    assert agents_serving([(str(acme.pk), str(queue.pk))]) == {(str(acme.pk), str(queue.pk)): [str(ann.pk)]}


def test_a_queue_id_that_is_no_uuid_has_no_agents() -> None:
    assert agents_serving([(str(customer().pk), "support")]) == {}
    assert agents_serving([]) == {}
