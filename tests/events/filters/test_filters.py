"""Filters: the grammar, the operators, the tags of events, and the decision on an event."""

# Long because its tables of filters stand in one file.

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from events.domain.event import Draft, Entry, Form, make_entry
from events.domain.state import State
from events.filters import tags as tags_module
from events.filters.compiled import compile_expression, predicate_of
from events.filters.event_filter import NO_FILTER, EventFilter
from events.filters.expression import InvalidFilter, canonical, parse, parse_text

QUEUE = "0a0a0a0a-0000-4000-8000-00000000000a"
AGENT = "0b0b0b0b-0000-4000-8000-00000000000b"
TAGS: dict[str, Any] = {
    "status": "answered",
    "team": "sales",
    "size": 3,
    "vip": True,
    "rate": 1.5,
    "note": "",
}


def leaf(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def of(*filters: Any, op: str = "and") -> dict[str, Any]:
    return {"op": op, "filters": list(filters)}


YES, NO = leaf("status", "eq", "answered"), leaf("status", "eq", "ringing")

MATCHING = [
    YES,
    leaf("status", "neq", "ringing"),
    leaf("missing", "neq", "ringing"),
    {"field": "status", "op": "in", "values": ["ringing", "answered"]},
    {"field": "status", "op": "nin", "values": ["ringing"]},
    {"field": "missing", "op": "nin", "values": ["ringing"]},
    {"field": "status", "op": "ex"},
    {"field": "note", "op": "ex"},
    {"field": "missing", "op": "nex"},
    leaf("status", "sw", "ans"),
    leaf("status", "ew", "red"),
    leaf("status", "ct", "swer"),
    leaf("size", "gt", 2),
    leaf("size", "gte", 3),
    leaf("size", "lt", 3.5),
    leaf("rate", "lte", 1.5),
    leaf("size", "eq", 3.0),
    leaf("vip", "eq", True),
    leaf("vip", "neq", 1),
    leaf("size", "neq", "3"),
    leaf("note", "eq", ""),
    of(YES, leaf("team", "eq", "sales")),
    of(NO, YES, op="or"),
    {"op": "not", "filter": NO},
]
NOT_MATCHING = [
    NO,
    leaf("status", "neq", "answered"),
    leaf("missing", "eq", "x"),
    {"field": "status", "op": "in", "values": ["ringing"]},
    {"field": "missing", "op": "in", "values": ["ringing"]},
    {"field": "status", "op": "nin", "values": ["ringing", "answered"]},
    {"field": "missing", "op": "ex"},
    {"field": "status", "op": "nex"},
    leaf("status", "sw", "red"),
    leaf("missing", "sw", "r"),
    leaf("size", "ct", "3"),
    leaf("status", "ew", "ans"),
    leaf("status", "ct", "x"),
    leaf("size", "gt", 3),
    leaf("size", "lt", 3),
    leaf("missing", "lt", 3),
    leaf("status", "gte", 0),
    leaf("vip", "gte", 0),
    leaf("size", "eq", "3"),
    leaf("vip", "eq", 1),
    of(YES, NO),
    of(NO, NO, op="or"),
    {"op": "not", "filter": YES},
]


@pytest.mark.parametrize("value", MATCHING, ids=str)
def test_a_filter_matches(value: Any) -> None:
    assert compile_expression(parse(value))(TAGS) is True


@pytest.mark.parametrize("value", NOT_MATCHING, ids=str)
def test_a_filter_does_not_match(value: Any) -> None:
    assert compile_expression(parse(value))(TAGS) is False


@pytest.mark.parametrize("value", MATCHING + NOT_MATCHING, ids=str)
def test_the_canonical_text_is_the_same_filter(value: Any) -> None:
    text = canonical(parse(value))
    assert canonical(parse_text(text)) == text
    assert predicate_of(text)(TAGS) is compile_expression(parse(value))(TAGS)


def nested(depth: int) -> Any:
    value: Any = YES
    for _ in range(depth - 1):
        value = {"op": "not", "filter": value}
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("status", "a filter is a JSON object such as"),
        ([], "a filter is a JSON object such as"),
        ({}, "op: missing: one of eq, neq"),
        ({"op": 1}, "op: a string: one of eq"),
        ({"op": []}, "op: a string: one of eq"),
        (leaf("status", "equals", "x"), 'op: "equals" is no operator: one of eq, neq'),
        (leaf("status", "EQ", "x"), "(did you mean eq?)"),
        ({"op": "eq", "value": "x"}, "field: missing: the operator eq has field, op, value"),
        ({"field": "status", "op": "eq"}, "value: missing: the operator eq has field, op, value"),
        (
            {"field": "status", "op": "in", "value": "x"},
            "values: missing: the operator in has field, op, values",
        ),
        (
            {"field": "status", "op": "ex", "value": "x"},
            "value: unknown field: the operator ex has field, op",
        ),
        (leaf("Status", "eq", "x"), "field: the name of a tag"),
        (leaf("", "eq", "x"), "field: the name of a tag"),
        (leaf("s" * 33, "eq", "x"), "field: the name of a tag"),
        ({"field": 1, "op": "ex"}, "field: the name of a tag"),
        (leaf("status", "eq", None), "value: a string, a number, true or false"),
        (leaf("status", "eq", ["x"]), "value: a string, a number, true or false"),
        (leaf("status", "eq", float("inf")), "value: a string, a number, true or false"),
        (leaf("status", "eq", "x" * 257), "value: 257 characters, 256 are the most"),
        (leaf("status", "sw", 1), "value: a string"),
        (leaf("size", "gt", "1"), "value: a number: only numbers are compared by size"),
        (leaf("size", "gt", True), "value: a number"),
        ({"field": "status", "op": "in", "values": []}, "values: a list of 1 to 100 values"),
        ({"field": "status", "op": "in", "values": "x"}, "values: a list of 1 to 100 values"),
        ({"field": "status", "op": "nin", "values": [1] * 101}, "values: a list of 1 to 100 values"),
        ({"field": "status", "op": "in", "values": ["x", {}]}, "values[1]: a string, a number"),
        ({"op": "and", "filters": []}, "filters: a list of at least one filter"),
        ({"op": "or", "filters": YES}, "filters: a list of at least one filter"),
        ({"op": "and", "filter": YES}, "filters: missing: the operator and has op, filters"),
        (of(YES, 1), "filters[1]: a filter is a JSON object"),
        (of(YES, leaf("status", "qe", "x")), 'filters[1].op: "qe" is no operator'),
        ({"op": "not", "filter": of(YES, NO, leaf("a", "lt", "b"))}, "filter.filters[2].value: a number"),
        ({"op": "not", "filters": [YES]}, "filter: missing: the operator not has op, filter"),
        (nested(9), "filter.filter.filter.filter.filter.filter.filter.filter: nested deeper than 8 levels"),
        (of(*[YES] * 64), "filters[63]: more than 64 operators"),
    ],
    ids=str,
)
def test_an_invalid_filter_is_refused_with_its_path(value: Any, message: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse(value)
    assert message in str(caught.value)
    if ": " in message:
        assert str(caught.value).startswith(message) or message.startswith("(")


def test_the_largest_filters_are_valid() -> None:
    parse(nested(8))
    parse(of(*[YES] * 63))
    parse({"field": "s" * 32, "op": "in", "values": ["x" * 256] * 100})


def test_a_text_that_is_no_json_is_no_filter() -> None:
    with pytest.raises(InvalidFilter, match=r"not JSON: .* a filter is a JSON object such as"):
        parse_text("{field")


def entry(data: str, *, tags: str | None = None, was: str | None = None, resource: str = "call") -> Entry:
    return make_entry(
        seq=7,
        epoch="e" * 12,
        event_id="id",
        event_type=f"{resource}.status",
        timestamp=datetime(2024, 1, 15, tzinfo=UTC),
        topics=[f"customer_id:{QUEUE}:{resource}:a:b"],
        body=data,
        tags=tags,
        was=was,
        phases='{"x": 1}',
    )


def test_tags_of_an_event_are_those_stored_with_it() -> None:
    now, before = tags_module.tags_of(entry("{}", tags='{"status": "answered", "team": "sales"}'))
    assert before is None
    assert now == {
        "event_type": "call.status",
        "resource": "call",
        "resource_id": "a:b",
        "status": "answered",
        "team": "sales",
    }


def test_previous_tags_are_the_present_ones_with_what_was_changed() -> None:
    _, before = tags_module.tags_of(
        entry("{}", tags='{"status": "answered", "team": "x"}', was='{"status": "ringing", "team": null}')
    )
    assert before == {
        "event_type": "call.status",
        "resource": "call",
        "resource_id": "a:b",
        "status": "ringing",
    }


def test_tags_of_an_event_of_an_earlier_version_follow_from_its_data() -> None:
    data = f'{{"status": "answered", "direction": "inbound", "queue_id": "{QUEUE}", "agent_id": "{AGENT}", "x": 1}}'
    now, before = tags_module.tags_of(entry(data))
    assert before is None
    assert {
        "status": "answered",
        "direction": "inbound",
        "queue_id": QUEUE,
        "agent_id": AGENT,
    }.items() <= now.items()
    assert "x" not in now


@pytest.mark.parametrize(
    ("data", "tags"),
    [
        ({"status": "a" * 257, "direction": 1, "agent_id": "anna", "source": 5}, {}),
        ({"status": "", "source": "", "destination": {}}, {}),
        ({"source": "+15551234567"}, {"source": "+15551234567"}),
        ({"source": "+1 (555) 123-4567"}, {"source": "+15551234567"}),
        ({"source": {"type": "tel", "target": "0015551234567"}}, {"source": "+15551234567"}),
        ({"destination": "sip:Anna@example.org"}, {"destination": "anna"}),
    ],
    ids=str,
)
def test_tags_from_data(data: dict[str, Any], tags: dict[str, Any]) -> None:
    assert tags_module.state_tags("call", "1", State("", data=data)) == tags


def test_a_queue_and_an_agent_are_their_own_tags() -> None:
    assert tags_module.state_tags("queue", QUEUE, State("")) == {"queue_id": QUEUE}
    assert tags_module.state_tags("agent", AGENT, State("")) == {"agent_id": AGENT}


def test_tags_of_a_state_have_the_publishers() -> None:
    progress = {"status": "answered", "tags": {"team": "sales"}}
    assert tags_module.tags_of_state("call", "1", "call.status", {"status": "x"}, progress) == {
        "event_type": "call.status",
        "resource": "call",
        "resource_id": "1",
        "status": "answered",
        "team": "sales",
    }


def test_an_event_that_changes_no_state_has_the_tags_of_its_data() -> None:
    draft = Draft(
        "call.test", QUEUE, "call", "1", (), {"status": "x"}, "", None, None, tags={"team": "sales"}
    )
    assert tags_module.event_tags(draft) == ('{"team": "sales", "status": "x"}', None)


@pytest.mark.parametrize(
    ("before", "after", "was"),
    [
        (None, {"a": 1}, None),
        ({"a": 1}, {"a": 1}, None),
        ({"a": 1, "b": 2}, {"a": 2, "b": 2}, '{"a": 1}'),
        ({"a": 1}, {}, '{"a": 1}'),
        ({}, {"a": 1}, '{"a": null}'),
        ({"a": 1}, {"a": True, "b": 1}, '{"a": 1, "b": null}'),
        ({"a": 1}, {"a": True}, '{"a": 1}'),
    ],
    ids=str,
)
def test_previous_values_are_stored_where_they_changed(before: Any, after: Any, was: str | None) -> None:
    assert tags_module.stored_tags(before, after).was == was


ANSWERED, SALES = canonical(parse(YES)), canonical(parse(leaf("team", "eq", "sales")))


@pytest.mark.parametrize(
    ("chosen", "tags", "was", "form"),
    [
        (NO_FILTER, "{}", None, Form.WHOLE),
        (EventFilter(ANSWERED), '{"status": "answered"}', None, Form.WHOLE),
        (EventFilter(ANSWERED), '{"status": "answered"}', '{"status": "ringing"}', Form.WHOLE),
        (EventFilter(ANSWERED), '{"status": "hangup"}', None, None),
        (EventFilter(ANSWERED), '{"status": "hangup"}', '{"status": "ringing"}', None),
        (EventFilter(ANSWERED), '{"status": "hangup"}', '{"status": "answered"}', Form.LEFT),
        (EventFilter(None, SALES), '{"team": "care"}', '{"team": "sales"}', Form.WITHDRAWN),
        (EventFilter(None, SALES), '{"team": "care"}', None, None),
        (EventFilter(ANSWERED, SALES), '{"team": "sales", "status": "answered"}', None, Form.WHOLE),
        (EventFilter(ANSWERED, SALES), '{"team": "care", "status": "answered"}', None, None),
        (
            EventFilter(ANSWERED, SALES),
            '{"team": "sales", "status": "hangup"}',
            '{"status": "answered"}',
            Form.LEFT,
        ),
        (
            EventFilter(ANSWERED, SALES),
            '{"team": "care", "status": "answered"}',
            '{"team": "sales"}',
            Form.WITHDRAWN,
        ),
        (EventFilter(ANSWERED, SALES), '{"team": "care"}', '{"team": "x", "status": "answered"}', None),
    ],
    ids=str,
)
def test_how_an_event_is_received(chosen: EventFilter, tags: str, was: str | None, form: Form | None) -> None:
    assert chosen.compiled()(tags_module.tags_of(entry("{}", tags=tags, was=was))) is form


def test_a_filter_describes_itself() -> None:
    assert NO_FILTER.text == ""
    assert EventFilter(ANSWERED).text == f"filter {ANSWERED}"
    assert EventFilter(ANSWERED, SALES).text == f"filter {ANSWERED}"
    assert NO_FILTER.is_empty
    assert not EventFilter(None, SALES).is_empty
