"""The translation of VoIPBIN's webhooks into events: types, values, and fields.

The data of a webhook is kept. A value that the published API names differently is replaced, and the original is stored
under `voipbin`; a field that the published API names differently is added.
"""

# Long because the tables and the one function that reads them are read together.

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from events.domain.event import Draft, data_time, format_timestamp
from events.domain.event_parser import InvalidEvent, Problem, read_event
from events.domain.topics import did_you_mean, is_canonical_uuid, is_nil_uuid, is_resource_name, quoted
from events.domain.vocabulary import free_key, published_word

_Source: TypeAlias = Callable[[Mapping[str, Any]], object]

EVENT_TYPES: Mapping[str, str] = {
    "call_created": "call.created",
    "call_dialing": "call.status",
    "call_ringing": "call.status",
    "call_progressing": "call.status",
    "call_updated": "call.status",
    "call_canceling": "call.status",
    "call_terminating": "call.status",
    "call_hangup": "call.ended",  # after call.status with the status hangup
    "call_deleted": "call.ended",
    "message_created": "message.sent",  # message.received where it is inbound
    "message_updated": "message.delivery",
    "activeflow_created": "activeflow.updated",
    "activeflow_updated": "activeflow.updated",
    "activeflow_deleted": "activeflow.completed",
    "queuecall_created": "queue.joined",
    "queuecall_waiting": "queue.joined",
    "queuecall_connecting": "queue.connecting",
    "queuecall_serviced": "queue.connected",
    "queuecall_done": "queue.left",
    "queuecall_abandoned": "queue.left",
    "queuecall_deleted": "queue.left",
    "agent_status_updated": "agent.status",
    "agent_updated": "agent.status",
    "conferencecall_joined": "conference.joined",
    "conferencecall_leaved": "conference.left",
    "conference_deleted": "conference.ended",
    "recording_started": "recording.started",
    "recording_finished": "recording.completed",
    "transcribe_done": "transcription.completed",
}
"""Any other `<resource>_<action>` of a known resource is `<resource>.<action>`."""

CALL_STATUSES = ("dialing", "ringing", "progressing", "canceling", "terminating", "hangup")
"""VoIPBIN's statuses of a call, each also the action of a webhook."""

HAPPENED = (
    *("tm_update", "tm_delete", "tm_end", "tm_hangup", "tm_service"),
    *("tm_progressing", "tm_ringing", "tm_start", "tm_create"),
)
"""The fields with the time of the event, the most exact first."""


def read_webhook(
    webhook: object,
    *,
    customer_id: str,
    resources: Collection[str],
    max_bytes: int,
    beside: Mapping[str, Any] | None = None,
) -> Draft:
    """Parse one webhook of VoIPBIN, decoded from JSON, like `read_event`.

    `beside` are fields of the event for those that the webhook does not have, such as an idempotency key.

    Raises:
        InvalidEvent: With a reason for each invalid field.
    """
    item = {**(beside or {}), **translate(webhook, resources=resources)}
    draft = read_event(item, customer_id=customer_id, resources=resources, max_bytes=max_bytes)
    is_hangup = isinstance(webhook, dict) and webhook.get("type") == "call_hangup"
    # The published API names both: the status, and the end.
    return replace(draft, preceding_type="call.status") if is_hangup else draft


def translate(webhook: object, *, resources: Collection[str]) -> dict[str, Any]:
    """Translate one webhook of VoIPBIN, decoded from JSON, into an item for `read_event`.

    `resources` are the known resource names. The item has event_type and data, timestamp (RFC 3339) if the data has a
    time, and customer_id if the data names a customer. Other fields of the webhook than `type` and `data` are ignored.

    Raises:
        InvalidEvent: With a reason for each invalid field.
    """
    if not isinstance(webhook, dict):
        raise InvalidEvent([Problem("", "a webhook is a JSON object with type and data")])
    problems: list[Problem] = []
    kind = _kind(webhook, resources, problems)
    resource, action = _split(kind, resources)
    data = _data(webhook, resource, problems)
    if problems:
        raise InvalidEvent(problems)

    values = dict(_translated_values(resource, action, data))
    event_type = EVENT_TYPES.get(kind, f"{resource}.{action}")
    if kind == "message_created" and values.get("direction", data.get("direction")) == "inbound":
        event_type = "message.received"
    translated = {**data, **values}
    for name, source in (*_ADDED.get(resource, {}).items(), *_ADDED.get(kind, {}).items()):
        if (value := source(data)) is not None:
            translated.setdefault(name, value)
    originals = {"type": kind, **{name: data[name] for name in values if name in data}}
    translated[free_key(translated)] = originals

    item: dict[str, Any] = {"event_type": event_type, "data": translated}
    if happened := _moment(data, *HAPPENED):
        item["timestamp"] = format_timestamp(happened)
    if not _is_none(data.get("customer_id")):
        item["customer_id"] = data["customer_id"]
    return item


def _kind(webhook: Mapping[str, object], resources: Collection[str], problems: list[Problem]) -> str:
    kind = webhook.get("type")
    if not isinstance(kind, str):
        problems.append(Problem("type", "required: <resource>_<action>, such as call_progressing"))
        return ""
    resource, action = _split(kind, resources)
    if resource and is_resource_name(action):
        return kind
    action = kind[:64].partition("_")[2]
    known = {*EVENT_TYPES, *(f"{each}_{action}" for each in resources if is_resource_name(action))}
    problems.append(
        Problem(
            "type",
            f"{quoted(kind)} is no event of a known resource: write <resource>_<action> in lower case, "
            f"such as call_progressing{did_you_mean(kind, known)}",
        )
    )
    return ""


def _split(kind: str, resources: Collection[str]) -> tuple[str, str]:
    """Split a type into resource and action; the resource is the longest known one, or ""."""
    if kind in EVENT_TYPES:
        resource, _, action = kind.partition("_")
        return resource, action
    known = [each for each in resources if kind.startswith(f"{each}_")]
    resource = max(known, key=len, default="")
    return resource, kind[len(resource) + 1 :]


def _data(webhook: Mapping[str, object], resource: str, problems: list[Problem]) -> Mapping[str, Any]:
    data = webhook.get("data")
    if not isinstance(data, dict) or not data:
        problems.append(Problem("data", "required: the resource, a JSON object with at least its id"))
        return {}
    customer_id = data.get("customer_id")
    if not _is_none(customer_id) and not (isinstance(customer_id, str) and is_canonical_uuid(customer_id)):
        problems.append(
            Problem(
                "data.customer_id", "write a UUID in lower case with dashes, or leave it out for your own"
            )
        )
    if not isinstance(data.get("direction", ""), str | None):
        problems.append(Problem("data.direction", "write a string: incoming or outgoing"))
    if resource == "call" and not isinstance(data.get("status", ""), str | None):
        problems.append(Problem("data.status", f"write a string: {', '.join(CALL_STATUSES)}"))
    return data


def _translated_values(resource: str, action: str, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the fields whose values the published API names differently."""
    for name in ("direction", "status", "previous_status"):
        word = published_word(resource, name, data.get(name))
        if word is not None and (resource, name) != ("call", "status"):
            yield name, word
    if resource != "call":
        return
    # A call that was hung up or deleted has ended, whatever its record says; without a status, the action is it.
    status = "hangup" if action in ("hangup", "deleted") else data.get("status") or action
    word = published_word("call", "status", status) or (status if status in CALL_STATUSES else None)
    if word and word != data.get("status"):
        yield "status", word


def _is_none(value: object) -> bool:
    """Return whether an id of VoIPBIN is empty."""
    return value is None or value == "" or (isinstance(value, str) and is_nil_uuid(value))


def _moment(data: Mapping[str, Any], *names: str) -> datetime | None:
    """Return the first of these fields that is a time."""
    return next(filter(None, (data_time(data.get(name)) for name in names)), None)


def _id(name: str) -> _Source:
    def source(data: Mapping[str, Any]) -> str | None:
        value = data.get(name)
        return value if isinstance(value, str) and not _is_none(value) else None

    return source


def _time(*names: str) -> _Source:
    def source(data: Mapping[str, Any]) -> str | None:
        moment = _moment(data, *names)
        return format_timestamp(moment) if moment else None

    return source


def _seconds(start: str, end: str) -> Callable[[Mapping[str, Any]], int | None]:
    def source(data: Mapping[str, Any]) -> int | None:
        began, ended = _moment(data, start), _moment(data, end)
        return round((ended - began).total_seconds()) if began and ended and began <= ended else None

    return source


def _constant(value: str) -> _Source:
    return lambda _: value


def _referenced_call(data: Mapping[str, Any]) -> object:
    return _id("reference_id")(data) if data.get("reference_type") == "call" else None


def _wait_time(data: Mapping[str, Any]) -> int | None:
    """Return the waiting time in seconds; VoIPBIN's own if the call was never served."""
    waited = _seconds("tm_create", "tm_service")(data)
    milliseconds = data.get("duration_waiting")
    if waited is None and type(milliseconds) is int and milliseconds > 0:
        return (milliseconds + 500) // 1000
    return waited


def _destination(data: Mapping[str, Any]) -> object:
    """Return the destination of a message with a single one."""
    targets = data.get("targets")
    if isinstance(targets, list) and len(targets) == 1 and isinstance(targets[0], dict):
        return targets[0].get("destination")
    return None


def _delivery(data: Mapping[str, Any]) -> str | None:
    """Return the status of a message whose targets all have the same one."""
    targets = data.get("targets")
    if not isinstance(targets, list) or not all(isinstance(each, dict) for each in targets):
        return None
    statuses = [each.get("status") for each in targets]
    first = statuses[0] if statuses else None
    return first if isinstance(first, str) and all(each == first for each in statuses) else None


_ADDED: Mapping[str, Mapping[str, _Source]] = {
    "message": {"destination": _destination, "status": _delivery},
    "activeflow_deleted": {"result": _constant("completed"), "tm_end": _time("tm_delete", "tm_update")},
    "queuecall": {
        "call_id": _referenced_call,
        "agent_id": _id("service_agent_id"),
        "tm_join": _time("tm_create"),
        "tm_connect": _time("tm_service"),
        "wait_time": _wait_time,
    },
    "queuecall_done": {"reason": _constant("done")},
    "queuecall_abandoned": {"reason": _constant("abandoned")},
    "queuecall_deleted": {"reason": _constant("deleted")},
    "agent": {"agent_id": _id("id")},
    "conference": {"conference_id": _id("id")},
    "conferencecall": {"call_id": _referenced_call, "tm_join": _time("tm_create")},
    "conferencecall_leaved": {"tm_leave": _time("tm_update", "tm_delete")},
    "recording": {"call_id": _referenced_call, "duration": _seconds("tm_start", "tm_end")},
    "transcribe_done": {"transcription_id": _id("id"), "call_id": _referenced_call},
}
"""The fields that the published API names differently, by resource or webhook, with their sources."""
