"""What platforms publish of one call, in their many ways, and what all pages must show of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.browser.support.centre import Call, Centre

Events = list[dict[str, Any]]


class Cast(NamedTuple):
    """The ids of the agents, ann and gil, and of their queue."""

    ann: str
    gil: str
    queue: str


class Shown(NamedTuple):
    """What the pages show of the call: its state on the dashboard, and the phase or outcome at each desk.

    "" for nothing.
    """

    board: str
    ann: str = ""
    gil: str = ""


class Recipe(NamedTuple):
    """A sequence of events; each list is published by one request."""

    publish: Callable[[Call, Cast], list[Events]]
    shown: Shown


def assigned(call: Call, agent: str | None, **data: Any) -> dict[str, Any]:
    return call.event("call.assigned", agent_id=agent, status="ringing", **data)


def status(call: Call, word: str, **data: Any) -> dict[str, Any]:
    return {"event_type": "call.status", "data": {"id": call.id, "status": word, **data}}


def ended(call: Call, **data: Any) -> dict[str, Any]:
    return {"event_type": "call.ended", "data": {"id": call.id, **data}}


def joined(call: Call, cast: Cast, **data: Any) -> dict[str, Any]:
    return call.in_queue("queue.joined", cast.queue, source=call.data["source"], **data)


def connected(call: Call, cast: Cast, agent: str) -> dict[str, Any]:
    return call.in_queue("queue.connected", cast.queue, agent_id=agent)


def left(call: Call, cast: Cast, **data: Any) -> dict[str, Any]:
    return call.in_queue("queue.left", cast.queue, **data)


def by_webhook(kind: str, call: Call, **data: Any) -> dict[str, Any]:
    """Return a webhook of VoIPBIN, which `publish` sends to its address."""
    return {"type": kind, "data": {**call.data, "direction": "incoming", **data}}


def owned(agent: str) -> dict[str, str]:
    return {"owner_type": "agent", "owner_id": agent}


def handed_over(reason: dict[str, str]) -> Recipe:
    return Recipe(
        lambda c, k: [
            [joined(c, k), assigned(c, k.ann), left(c, k, **reason)],
            [connected(c, k, k.ann), status(c, "answered", agent_id=k.ann)],
        ],
        Shown("talking", ann="talking"),
    )


RECIPES: dict[str, Recipe] = {
    "the end names no agent, while it rings": Recipe(
        lambda c, k: [[assigned(c, k.ann)], [ended(c, status="hangup")]], Shown("", ann="abandoned")
    ),
    "the end names no agent, while they talk": Recipe(
        lambda c, k: [[assigned(c, k.ann), status(c, "answered")], [ended(c)]], Shown("", ann="ended")
    ),
    "two agents ring, one answers, its end": Recipe(
        lambda c, k: [
            [c.event("call.assigned", status="ringing") | {"agent_ids": [k.ann, k.gil]}],
            [status(c, "answered", agent_id=k.gil)],
            [ended(c, status="hangup", agent_id=k.gil)],
        ],
        Shown("", ann="missed", gil="ended"),
    ),
    "webhooks: another owner, then the hangup without one": Recipe(
        lambda c, k: [
            [by_webhook("call_updated", c, status="ringing", **owned(k.ann))],
            [by_webhook("call_progressing", c, status="progressing", **owned(k.gil))],
            [by_webhook("call_hangup", c, status="hangup")],
        ],
        Shown("", ann="missed", gil="ended"),
    ),
    "a transfer to a colleague": Recipe(
        lambda c, k: [
            [assigned(c, k.ann), status(c, "answered", agent_id=k.ann)],
            [assigned(c, k.gil), status(c, "answered", agent_id=k.gil)],
        ],
        Shown("talking", ann="transferred", gil="talking"),
    ),
    "taken away": Recipe(
        lambda c, k: [[assigned(c, k.ann)], [status(c, "ringing", agent_id=None)]],
        Shown("ringing", ann="missed"),
    ),
    "no queue.left": Recipe(
        lambda c, k: [
            [c.created(), joined(c, k)],
            [connected(c, k, k.ann), status(c, "answered")],
            [ended(c, status="hangup", agent_id=k.ann)],
        ],
        Shown("", ann="ended"),
    ),
    "the caller hangs up while waiting, no queue.left": Recipe(
        lambda c, k: [[c.created(), joined(c, k)], [ended(c, status="hangup")]], Shown("")
    ),
    "queue.joined after the end": Recipe(lambda c, k: [[c.created()], [ended(c)], [joined(c, k)]], Shown("")),
    "queue.connected after queue.left, and the end": Recipe(
        lambda c, k: [
            [c.created(), joined(c, k), left(c, k), connected(c, k, k.ann)],
            [ended(c, status="hangup")],
        ],
        Shown("", ann="ended"),
    ),
    "answered by a menu, then offered": Recipe(
        lambda c, k: [
            [c.created(), status(c, "answered"), joined(c, k)],
            [c.event("call.assigned", agent_id=k.ann)],
        ],
        Shown("connecting", ann="offered"),
    ),
    "connected, as the queue alone says": Recipe(
        lambda c, k: [[assigned(c, k.ann), joined(c, k)], [connected(c, k, k.ann)]],
        Shown("talking", ann="talking"),
    ),
    "connected without having been offered": Recipe(
        lambda c, k: [[c.created(), joined(c, k)], [connected(c, k, k.ann)], [status(c, "answered")]],
        Shown("talking", ann="talking"),
    ),
    "webhooks: answered after the hangup": Recipe(
        lambda c, k: [
            [by_webhook("call_hangup", c, status="hangup", tm_create="2026-01-01 10:00:00")],
            [by_webhook("call_progressing", c, status="progressing", tm_progressing="2026-01-01 10:00:10")],
        ],
        Shown(""),
    ),
    "answered after the end": Recipe(
        lambda c, k: [[c.created()], [ended(c)], [status(c, "answered")]], Shown("")
    ),
    "billed after an end without a status": Recipe(
        lambda c, k: [
            [c.created()],
            [ended(c)],
            [{"event_type": "call.billed", "data": {"id": c.id, "price": "0.02"}}],
        ],
        Shown(""),
    ),
    **{
        f"call.{action}": Recipe(
            lambda c, k, action=action: [
                [c.created() | {"agent_ids": [k.ann]}],
                [c.event(f"call.{action}")],
            ],
            Shown("", ann="abandoned"),
        )
        for action in ("deleted", "completed")
    },
    **{
        f"queue.left {reason or 'without a reason'} before the answer": handed_over(
            {"reason": reason} if reason else {}
        )
        for reason in ("", "answered", "connected", "serviced")
    },
    "outgoing, in a platform's word": Recipe(
        lambda c, k: [
            [c.event("call.created", direction="outgoing", status="dialing", agent_id=k.ann)],
        ],
        Shown("dialing", ann="dialing"),
    ),
    "progressing, in a platform's word": Recipe(
        lambda c, k: [[assigned(c, k.ann)], [status(c, "progressing")]], Shown("talking", ann="talking")
    ),
    "the agent is available while it rings": Recipe(
        lambda c, k: [
            [assigned(c, k.ann)],
            [{"event_type": "agent.status", "data": {"agent_id": k.ann, "status": "available"}}],
        ],
        Shown("ringing", ann="offered"),
    ),
    "a queue's events alone": Recipe(lambda c, k: [[joined(c, k)]], Shown("waiting")),
    "everything twice": Recipe(
        lambda c, k: [
            [each, each]
            for each in (c.created(), joined(c, k), assigned(c, k.ann), connected(c, k, k.ann), left(c, k))
        ],
        Shown("talking", ann="talking"),
    ),
}


def publish_all(centre: Centre, batches: list[Events]) -> None:
    """Publish each batch by its own request; webhooks go to their own address."""
    for batch in batches:
        if "type" in batch[0]:
            for each in batch:
                centre.receive_webhook(each)
        else:
            centre.publish(*batch)
