"""The dashboard's modules without a page: timeline, board, figures, view options."""

# Long because the events of whole calls are written out.

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

CALL, QUEUE, ANN = "call-1", "queue-1", "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
PARTIES = {"source": {"target": "+1555", "target_name": "Dana"}, "destination": {"target": "+1777"}}


def at(seconds: float) -> str:
    minutes, seconds = divmod(seconds, 60)
    return f"2024-01-15T10:{int(minutes):02}:{seconds:09.6f}Z"


_ids = iter(range(10**6))


def event(event_type: str, seconds: float, resource_id: str = CALL, **data: Any) -> dict[str, Any]:
    resource = event_type.partition(".")[0]
    topic = f"customer_id:c:{resource}:{resource_id}"
    return {
        "event_type": event_type,
        "timestamp": at(seconds),
        "topic": topic,
        "data": data,
        "id": f"e{next(_ids)}",
        "cursor": f"000000000001.{next(_ids)}",
    }


def queue_event(action: str, seconds: float, **data: Any) -> dict[str, Any]:
    return event(f"queue.{action}", seconds, QUEUE, queue_id=QUEUE, call_id=CALL, **data)


# --- Timeline ---

TIMELINE = """async ({ events, live, now }) => {
    const { Timeline, shares } = await import("/dashboard/call-timeline.js");
    const names = {
        agents: new Map([["aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", { name: "Ann" }]]),
        queues: new Map([["queue-1", { name: "Support" }]]),
        agentName: (id) => names.agents.get(id)?.name ?? id,
        queueName: (id) => names.queues.get(id)?.name ?? id,
        dispositions: new Map([["sold", "Sold"]]),
    };
    const timeline = new Timeline("call-1", names);
    for (const each of live) timeline.add(each);
    timeline.load(events);
    const content = timeline.read();
    const lasted = ({ at, until }) => (until === null ? null : until - at);
    const steps = content.steps.map((step) => [step.state, step.title, step.note, lasted(step)]);
    return { ...content, steps, state: content.call.state, shares: shares(content, Date.parse(now)) };
}"""


def timeline_of(page: Page, events: list[Any], live: tuple[Any, ...] = (), now: float = 60) -> Any:
    return page.evaluate(TIMELINE, {"events": events, "live": list(live), "now": at(now)})


def whole_call() -> list[dict[str, Any]]:
    return [
        event("call.created", 0, status="ringing", direction="inbound", **PARTIES),
        queue_event("joined", 2),
        event("call.assigned", 12, status="answered", agent_id=ANN),
        queue_event("connected", 15, agent_id=ANN),
        event("recording.started", 16, "r", id="r", reference_id=CALL),
        event(
            "recording.completed",
            40,
            "r",
            id="r",
            call_id=CALL,
            duration=24,
            reference_url="https://x.test/r",
        ),
        queue_event("left", 40, reason="done"),
        event("call.ended", 40.1, status="hangup", hangup_reason="normal", hangup_by="remote"),
        event("transcription.completed", 45, "t", call_id=CALL, text="Hello there"),
    ]


def test_a_note_is_a_step_and_changes_no_state(modules: Page) -> None:
    noted = {"disposition": "sold", "note": "Wants it blue", "agent_id": ANN, "status": "ringing"}
    events = [*whole_call(), event("call.noted", 50, **noted), event("call.noted", 51, disposition="won")]
    content = timeline_of(modules, events)
    assert content["steps"][-2:] == [
        [None, "Noted by Ann", "Sold: Wants it blue", None],
        [None, "Noted", "won", None],
    ]
    assert content["state"] == "ended"


def test_the_steps_of_a_call_are_its_states_and_events(modules: Page) -> None:
    content = timeline_of(modules, whole_call())
    assert content["steps"] == [
        ["ringing", "Ringing", "", 2000],
        ["waiting", "Waiting in Support", "", 10_000],
        ["connecting", "Ringing at Ann", "", 3000],
        ["talking", "Talking with Ann", "", 25_100],
        [None, "Recording began", "", None],
        [None, "Recording saved", "0:24", None],
        [None, "Left the queue", "done", None],
        ["ended", "Ended", "normally, by the caller", None],
        [None, "Transcribed", "Hello there", None],
    ]
    assert (content["queues"], content["agents"], content["hangup"]) == (
        ["Support"],
        ["Ann"],
        "normally, by the caller",
    )
    assert content["recordings"] == [
        {"id": "r", "seconds": 24, "isRunning": False, "url": "https://x.test/r"}
    ]
    assert content["isWhole"]
    assert [each["state"] for each in content["shares"]] == ["ringing", "waiting", "connecting", "talking"]
    assert sum(each["share"] for each in content["shares"]) == pytest.approx(1)


def test_events_during_the_load_of_the_timeline_are_shown_once_and_in_order(modules: Page) -> None:
    events = whole_call()
    content = timeline_of(modules, events[:4], live=(events[2], events[3], events[4]))
    assert content["steps"] == timeline_of(modules, events[:5])["steps"]
    assert content["steps"][-2][3] is None  # It goes on.
    assert content["recordings"][0]["isRunning"]


def test_a_missed_offer_and_an_abandoned_wait_are_steps(modules: Page) -> None:
    content = timeline_of(
        modules,
        [
            event("call.created", 0, status="ringing"),
            queue_event("joined", 1),
            event("call.assigned", 5, status="ringing", agent_id=ANN),
            event("call.status", 15, status="ringing", agent_id=None, missed_by=ANN),
            queue_event("left", 30, reason="abandoned"),
            event("call.ended", 30, status="hangup", hangup_reason="odd reason", hangup_by="local"),
        ],
    )
    assert [step[:3] for step in content["steps"]] == [
        ["ringing", "Ringing", ""],
        ["waiting", "Waiting in Support", ""],
        ["connecting", "Ringing at Ann", ""],
        ["waiting", "Waiting in Support", "Ann did not answer"],
        [None, "Gave up waiting", ""],
        ["ended", "Ended", "odd reason, by our side"],
    ]
    assert content["steps"][3][3] == 15_000


def test_events_of_other_calls_are_left_out(modules: Page) -> None:
    strangers = [
        event("call.status", 1, "call-2", status="answered", parent_id=CALL),
        event("agent.status", 2, ANN, status="busy", call_id=CALL),
        event("message.sent", 3, "m", text=CALL),
    ]
    content = timeline_of(
        modules, [*strangers, event("call.status", 4, status="answered")], live=tuple(strangers)
    )
    assert [step[1] for step in content["steps"]] == ["Answered"]
    assert not content["isWhole"]


def test_malformed_data_is_shown_as_short_text(modules: Page) -> None:
    odd = [None, 7, [], {"a": 1}, "javascript:alert(1)", "data:text/html,x", "\u202e", "x" * 10_000]
    fields = ("status", "direction", "source", "agent_id", "queue_name", "reason", "hangup_by", "tm_create")
    more = ("reference_url", "duration", "text", "current_action", "flow_name", "result", "missed_by", "id")
    for value in odd:
        data = dict.fromkeys(fields + more, value)
        events = [
            event(kind, 1, resource_id, **data, call_id=CALL)
            for kind, resource_id in (
                ("call.created", CALL),
                ("queue.joined", QUEUE),
                ("queue.left", QUEUE),
                ("recording.completed", "r"),
                ("transcription.completed", "t"),
                ("activeflow.updated", "f"),
                ("activeflow.completed", "f"),
                ("call.ended", CALL),
            )
        ]
        content = timeline_of(
            modules, [*events, {**events[0], "data": None, "id": "none", "cursor": "000000000001.999999"}]
        )
        assert content["state"] == "ended"
        assert [each["url"] for each in content["recordings"]] == [None]
        assert all(len(title) < 300 and len(note) < 500 for _, title, note, _ in content["steps"])


# --- Board ---


def item(event_type: str, seconds: float, resource_id: str = CALL, **data: Any) -> dict[str, Any]:
    """A state, as /v1.0/resources/… returns it."""
    status = {"status": data["status"], "status_since": at(seconds)} if "status" in data else {}
    return {
        "resource_id": resource_id,
        "active": True,
        "event_type": event_type,
        "since": at(seconds),
        "updated_at": at(seconds),
        "cursor": f"000000000001.{next(_ids)}",
        "state": status,
        "data": data,
    }


def test_a_place_in_a_queue_is_shown_also_without_a_state_of_the_call(modules: Page) -> None:
    def place(call_id: str, status: str) -> dict[str, Any]:
        state = {"status": status, "status_since": at(1)}
        return item("queue.joined", 1, QUEUE, queue_id=QUEUE) | {"member_id": call_id, "state": state}

    call = item("call.status", 0, status="answered")
    states = modules.evaluate(
        """async ({ calls, queues, now }) => {
            const { Board } = await import("/dashboard/board.js");
            const board = new Board();
            board.load({ me: { queues: [], agents: [] }, calls, queues, agents: [] }, Date.parse(now));
            return [...board.calls.values()].map(({ id, state }) => [id, state]);
        }""",
        {
            "calls": [call],
            "queues": [place(CALL, "connected"), place("of the queue alone", "waiting")],
            "now": at(9),
        },
    )
    assert states == [[CALL, "talking"], ["of the queue alone", "waiting"]]


# --- Figures ---


def figures(**data: Any) -> dict[str, Any]:
    targets = {
        "target_seconds": 30,
        "target_percent": 90,
        "wait_alarm_seconds": 60,
        "short_abandon_seconds": 5,
    }
    return {"targets": targets, "is_breached": False, "buckets": [], "today": {}, **data}


def test_figures_are_those_of_the_last_frame_and_a_copy_keeps_them(modules: Page) -> None:
    frames = [
        event("summary.changed", 1, "all", **figures(answered=3, abandoned=1)),
        event("summary.changed", 1, QUEUE, **figures(answered=2, abandoned=0)),
    ]
    result = modules.evaluate(
        """async (frames) => {
            const { DEFAULT_TARGETS, QueueFigures, abandonedShare } = await import("/dashboard/figures.js");
            const figures = new QueueFigures();
            const before = figures.targetsOf("queue-1").target_seconds;
            for (const each of frames) figures.apply(each);
            const copy = figures.copy();
            figures.apply({ ...frames[0], data: { ...frames[0].data, abandoned: 3 } });
            const shares = [copy, figures].map(({ total }) => abandonedShare(total));
            const targets = ["queue-1", "unknown", null].map((id) => figures.targetsOf(id).target_seconds);
            return { before, targets, shares, queues: [...figures.queues.keys()], none: abandonedShare({}) };
        }""",
        frames,
    )
    assert result == {
        "before": 20,
        "targets": [30, 30, 30],
        "shares": [0.25, 0.5],
        "queues": [QUEUE],
        "none": None,
    }


def test_without_those_of_all_queues_the_figures_of_some_are_counted_together(modules: Page) -> None:
    buckets = [
        [{"at": at(0), "answered": 2, "answered_in_time": 1, "waiting": 1, "longest_wait_seconds": 9}],
        [{"at": at(0), "abandoned": 1, "longest_wait_seconds": 4}, {"at": at(300), "waiting": 2}],
    ]
    none = {"longest_wait_since": None, "waiting": 0, "abandoned": 0}
    frames = [
        event(
            "summary.changed", 1, "q1", **figures(**none, answered=2, answered_in_time=1, buckets=buckets[0])
        ),
        event(
            "summary.changed",
            1,
            "q2",
            **figures(**none | {"abandoned": 1}, answered=0, answered_in_time=0, buckets=buckets[1]),
        ),
        event("summary.changed", 1, "all", **figures(**none, answered=7, service_level=50)),
    ]
    none_yet, one, both, total = modules.evaluate(
        """async (frames) => {
            const { QueueFigures } = await import("/dashboard/figures.js");
            const figures = new QueueFigures();
            return [null, ...frames].map((each) => {
                if (each) figures.apply(each);
                return figures.whole && { ...figures.whole };
            });
        }""",
        frames,
    )
    assert (none_yet, one["answered"], total["answered"]) == (None, 2, 7)
    assert (both["answered"], both["abandoned"], both["service_level"]) == (2, 1, 33.3)
    assert [
        (each["at"], each["waiting"], each["longest_wait_seconds"], each.get("service_level"))
        for each in both["buckets"]
    ] == [(at(0), 1, 9, 33.3), (at(300), 2, 0, None)]


def test_the_last_hour_has_twelve_parts_up_to_now(modules: Page) -> None:
    buckets = [{"at": at(300), "waiting": 2}, {"at": at(3300), "waiting": 5}, {"at": at(3599), "waiting": 9}]
    values = modules.evaluate(
        """async ({ figures, now }) => {
            const { lastHour } = await import("/dashboard/figures.js");
            return [figures, null].map((each) => lastHour(each, Date.parse(now), ({ waiting }) => waiting ?? null));
        }""",
        {"figures": figures(buckets=buckets), "now": at(3599)},
    )
    assert values == [[None, 2, *[None] * 9, 5], [None] * 12]


@pytest.mark.parametrize(
    ("level", "grade"),
    [(None, None), (0, "bad"), (79.9, "bad"), (80, "warn"), (89.9, "warn"), (90, "good"), (100, "good")],
)
def test_the_grade_is_good_from_the_target_and_fair_ten_points_below(
    modules: Page, level: float | None, grade: str | None
) -> None:
    result = modules.evaluate(
        """async ({ level, targets }) => (await import("/dashboard/figures.js")).grade(level, targets)""",
        {"level": level, "targets": figures()["targets"]},
    )
    assert result == grade


@pytest.mark.parametrize(
    ("seconds", "level"), [(None, None), (0, None), (30, None), (31, "warn"), (60, "warn"), (61, "bad")]
)
def test_a_wait_is_judged_by_the_targets(modules: Page, seconds: float | None, level: str | None) -> None:
    result = modules.evaluate(
        """async ({ wait, targets }) => (await import("/dashboard/figures.js")).waitLevel(wait, targets)""",
        {"wait": seconds and seconds * 1000, "targets": figures()["targets"]},
    )
    assert result == level


# --- View options ---


@pytest.mark.parametrize(
    "address",
    [
        "",
        "state=waiting%2Ctalking&queue=q&direction=inbound&q=a+b&sort=from&order=desc",
        "view=wall&customer=c",
        "call=abc%2F1",
    ],
)
def test_view_options_are_read_from_the_query_and_written_back(modules: Page, address: str) -> None:
    assert (
        modules.evaluate(
            "async (text) => new (await import('/dashboard/view-options.js')).ViewOptions(text).toString()",
            address,
        )
        == address
    )


def test_unknown_values_in_the_query_are_ignored(modules: Page) -> None:
    nonsense = "state=odd,waiting&sort=constructor&order=up&view=x&other=1"
    made = modules.evaluate(
        "async (text) => new (await import('/dashboard/view-options.js')).ViewOptions(text).toString()",
        nonsense,
    )
    assert made == "state=waiting"
