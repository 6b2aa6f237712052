"""The layer of a process without Redis: to a group's channels alone, in order, and silent where there is no room."""

from __future__ import annotations

from typing import Any

import pytest

from events.announcements.in_memory_layer import LocalChannelLayer


def message(number: int) -> dict[str, Any]:
    return {"type": "test.message", "number": number}


async def received(layer: LocalChannelLayer, channel: str) -> int:
    number: int = (await layer.receive(channel))["number"]
    return number


async def test_a_group_receives_in_order_and_no_other_does() -> None:
    layer = LocalChannelLayer(capacity=10)
    ours, theirs = await layer.new_channel(), await layer.new_channel()
    await layer.group_add("ours", ours)
    await layer.group_add("both", ours)
    await layer.group_add("both", theirs)
    for number, group in enumerate(["ours", "both", "ours"]):
        await layer.group_send(group, message(number))
    assert [await received(layer, ours) for _ in range(3)] == [0, 1, 2]
    assert await received(layer, theirs) == 1
    assert layer.channels == {}


async def test_one_channel_without_room_harms_no_other() -> None:
    layer = LocalChannelLayer(capacity=1)
    full, free = await layer.new_channel(), await layer.new_channel()
    for channel in (full, free):
        await layer.group_add("group", channel)
    await layer.send(full, message(0))
    await layer.group_send("group", message(1))
    assert (await received(layer, full), await received(layer, free)) == (0, 1)


async def test_what_a_sender_changes_afterwards_is_not_heard() -> None:
    layer = LocalChannelLayer()
    channel = await layer.new_channel()
    await layer.group_add("group", channel)
    sent = message(0)
    await layer.group_send("group", sent)
    sent["number"] = 1
    assert await received(layer, channel) == 0


async def test_an_empty_group_is_no_error_and_a_bad_name_is() -> None:
    layer = LocalChannelLayer()
    await layer.group_send("empty", message(0))
    with pytest.raises(TypeError, match="Group name"):
        await layer.group_send("no group!", message(0))
