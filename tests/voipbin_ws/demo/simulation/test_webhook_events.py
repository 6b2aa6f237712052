"""Simulated events and webhooks are valid for the gateway."""

from __future__ import annotations

from hypothesis import given

from events.domain import voipbin_webhooks as voipbin
from events.domain.event import format_timestamp
from events.domain.event_parser import read_event
from events.domain.topics import known_resources
from tests.voipbin_ws.demo.simulation.support.simulated_days import PUBLISHED_TYPES, Day, days, few
from voipbin_ws.demo.simulation.webhooks import as_webhook

RESOURCES = known_resources([])


@few
@given(days)
def test_every_event_is_one_that_the_gateway_takes(a_day: Day) -> None:
    events = a_day.events()
    assert len({each.key for each in events}) == len(events)
    assert [each.at for each in events] == sorted(each.at for each in events)
    assert {each.event_type for each in events} <= PUBLISHED_TYPES
    for each in events:
        customer_id = each.data["customer_id"]
        draft = read_event(each.item(), customer_id="", resources=RESOURCES, max_bytes=4096)
        assert draft.customer_id == customer_id
        assert draft.idempotency_key == each.key
        assert draft.timestamp == each.at


@few
@given(days)
def test_a_webhook_says_what_the_event_says(a_day: Day) -> None:
    events = a_day.events()
    for each in events:
        if (webhook := as_webhook(each)) is None:
            continue
        item = voipbin.translate(webhook, resources=RESOURCES)
        assert item["event_type"] == each.event_type
        assert item["timestamp"] == format_timestamp(each.at)
        given_times = {name for name in each.data if name.startswith("tm_")}
        for name in set(each.data) - given_times:
            assert item["data"][name] == each.data[name], name
        assert given_times <= set(item["data"])
