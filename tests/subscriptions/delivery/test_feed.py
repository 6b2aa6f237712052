"""The feed: numbers, subscriptions, and the replay for a client that reconnects."""

# Long because numbers, subscribers, replays and marks are tested on one feed.
from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.domain.event import Entry, Form
from subscriptions.delivery import feed as feed_module
from subscriptions.delivery.feed import Feed
from subscriptions.delivery.replay import Replay

ACME = "aaaaaaaa-0000-4000-8000-000000000001"
ANN = "aaaaaaaa-1111-4000-8000-000000000011"
CUSTOMER, AGENT = f"customer_id:{ACME}", f"agent_id:{ANN}"
CALLS, EVERYTHING = f"{CUSTOMER}:call:*", f"{CUSTOMER}:*:*"


def entry(
    seq: int, resource: str = "call", resource_id: str = "1", *, agent: bool = False, size: int = 0
) -> Entry:
    address = f"{resource}:{resource_id}"
    topics = (f"{CUSTOMER}:{address}", *((f"{AGENT}:{address}",) if agent else ()))
    return Entry(seq, "h" * size, "t", topics)


def entries(*numbers: int) -> list[Entry]:
    return [entry(seq) for seq in numbers]


def opened(position: int = 0) -> Feed[str]:
    return Feed(ACME, "0123456789ab", position)


def numbers(found: Iterable[Entry] | None) -> list[int] | None:
    return None if found is None else [each.seq for each in found]


# --- Numbers ---


def test_the_next_number_is_ready_and_an_older_one_is_dropped() -> None:
    feed = opened(5)
    assert numbers(feed.offer(entries(4, 5, 6, 6, 7))) == [6, 7]
    assert (feed.position, feed.gap) == (7, None)


def test_a_later_number_waits_for_the_missing_ones() -> None:
    feed = opened(5)
    assert feed.offer(entries(9, 8)) == []
    assert feed.gap == (5, 7)
    assert numbers(feed.offer(entries(6))) == [6]
    assert feed.gap == (6, 7)
    assert numbers(feed.offer(entries(7))) == [7, 8, 9]
    assert feed.gap is None


def test_the_logs_last_number_shows_entries_without_an_announcement() -> None:
    feed = opened(5)
    feed.raise_head(5)
    assert (feed.gap, feed.head) == (None, 5)
    feed.raise_head(8)
    assert (feed.gap, feed.head) == ((5, 8), 8)
    feed.offer(entries(8))
    assert feed.gap == (5, 7)
    feed.raise_head(3)
    assert feed.head == 8
    assert numbers(feed.offer(entries(6, 7))) == [6, 7, 8]
    assert feed.gap is None


def test_what_is_held_back_is_bounded_and_read_from_the_log_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "MAX_AHEAD", 2)
    feed = opened()
    assert feed.offer(entries(2, 3, 4, 5)) == []
    assert feed.gap == (0, 1)
    assert numbers(feed.offer(entries(1))) == [1, 2, 3]
    assert feed.gap == (3, 5)
    assert numbers(feed.offer(entries(4, 5))) == [4, 5]


def test_what_is_held_back_is_bounded_in_size_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "MAX_AHEAD_BYTES", 1000)
    for _ in range(2):  # What was delivered makes room again.
        feed = opened()
        large = [entry(seq, size=400) for seq in (2, 3, 3, 4)]
        assert feed.offer(large) == []
        assert numbers(feed.offer(entries(1))) == [1, 2, 3]
        assert feed.gap == (3, 4)
        assert feed.offer([entry(seq, size=400) for seq in (5, 6)]) == []
        assert numbers(feed.offer(entries(4))) == [4, 5, 6]


def test_what_is_held_back_may_have_exactly_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    size = entry(2, size=400).size
    monkeypatch.setattr(feed_module, "MAX_AHEAD_BYTES", 2 * size)
    feed = opened()
    assert feed.offer([entry(seq, size=400) for seq in (2, 3, 4)]) == []
    assert numbers(feed.offer(entries(1))) == [1, 2, 3]


@given(st.permutations([*range(1, 12), 3, 7, 11]), st.integers(0, 4))
def test_in_whatever_order_they_come_they_leave_in_order_and_once(arriving: list[int], position: int) -> None:
    feed = opened(position)
    delivered = [each.seq for seq in arriving for each in feed.offer(entries(seq))]
    assert delivered == list(range(position + 1, 12))


@given(st.lists(st.integers(1, 15), max_size=20), st.integers(0, 15))
def test_the_gap_and_what_is_held_are_all_that_is_missing(arriving: list[int], head: int) -> None:
    feed = opened()
    for seq in arriving:
        feed.offer(entries(seq))
    feed.raise_head(head)
    delivered = feed.position
    while gap := feed.gap:
        after, upto = gap
        assert after == feed.position
        assert not set(range(after + 1, upto + 1)) & set(arriving), "it would be read though it is here"
        delivered = feed.offer(entries(*range(after + 1, upto + 1)))[-1].seq
    assert delivered == feed.position == max([0, head, *arriving])


# --- The recent past ---


def test_the_tail_has_what_came_lately() -> None:
    feed = opened(5)
    assert numbers(feed.tail_after(5)) == []
    assert numbers(feed.tail_after(9)) == []
    assert feed.tail_after(4) is None
    feed.offer(entries(6, 7, 8))
    assert numbers(feed.tail_after(5)) == [6, 7, 8]
    assert numbers(feed.tail_after(7)) == [8]
    assert feed.tail_after(4) is None


def test_the_tail_is_bounded_in_number_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "TAIL_MAX_ENTRIES", 3)
    feed = opened()
    feed.offer(entries(1, 2, 3, 4))
    assert feed.tail_after(0) is None
    assert numbers(feed.tail_after(1)) == [2, 3, 4]
    monkeypatch.setattr(feed_module, "TAIL_MAX_BYTES", 1000)
    feed.offer([entry(5, size=900)])
    assert numbers(feed.tail_after(4)) == [5]
    assert feed.tail_after(3) is None
    feed.offer([entry(6, size=5000)])
    assert feed.tail_after(5) is None, "one entry above the limit is not kept either"
    assert numbers(feed.tail_after(6)) == []


# --- Subscribers ---


def receivers_of(feed: Feed[str], entry: Entry) -> set[str]:
    return {who for each in feed.receivers(entry) for who in each.subscribers}


def test_five_overlapping_patterns_receive_an_event_once() -> None:
    feed = opened()
    patterns = [EVERYTHING, CALLS, f"{CUSTOMER}:call:1", f"{CUSTOMER}:*:1", f"{AGENT}:*:*"]
    feed.attach("ann", patterns)
    assert feed.receivers(entry(1, agent=True)) == [(f"{CUSTOMER}:call:1", Form.WHOLE, ["ann"])]
    for gone in patterns[:4]:
        feed.detach("ann", [gone])
    assert feed.receivers(entry(2, agent=True)) == [(f"{AGENT}:call:1", Form.WHOLE, ["ann"])]
    feed.detach("ann", [f"{AGENT}:*:*"])
    assert feed.receivers(entry(3, agent=True)) == []


def test_each_receives_by_a_topic_that_it_holds_and_by_the_customers_if_by_two() -> None:
    feed = opened()
    feed.attach("supervisor", [CALLS])
    feed.attach("agent", [f"{AGENT}:*:*"])
    feed.attach("both", [f"{AGENT}:*:*", EVERYTHING])
    topics = {who: each.topic for each in feed.receivers(entry(1, agent=True)) for who in each.subscribers}
    assert topics == {
        "supervisor": f"{CUSTOMER}:call:1",
        "both": f"{CUSTOMER}:call:1",
        "agent": f"{AGENT}:call:1",
    }


def test_each_receives_only_what_its_patterns_cover() -> None:
    feed = opened()
    feed.attach("calls", [CALLS])
    feed.attach("all", [EVERYTHING])
    feed.attach("one", [f"{CUSTOMER}:*:2"])
    assert receivers_of(feed, entry(1, "call", "1")) == {"calls", "all"}
    assert receivers_of(feed, entry(2, "message", "2")) == {"all", "one"}


def test_a_feed_is_idle_when_the_last_subscriber_left() -> None:
    feed = opened()
    assert feed.is_idle
    feed.attach("a", [CALLS, EVERYTHING])
    feed.attach("b", [CALLS])
    feed.detach("a", [CALLS, EVERYTHING, "never held"])
    assert not feed.is_idle
    feed.detach("b", [CALLS])
    feed.detach("b", [CALLS])
    assert feed.is_idle


# --- Replay ---


def replayed(replay: Replay, *past: Entry) -> list[tuple[int, str]]:
    return [(each.seq, receipt[0]) for each in past if (receipt := replay.receipt(each))]


def test_a_fresh_pattern_is_sent_what_came_after_its_start() -> None:
    replay = Replay({}, {CALLS: 3}, position=6)
    assert replay.begins_at == 3
    assert [seq for seq, _ in replayed(replay, *entries(2, 3, 4, 5, 6, 7))] == [4, 5, 6, 7]


def test_what_a_held_pattern_was_delivered_is_not_sent_again() -> None:
    replay = Replay({CALLS: 4}, {EVERYTHING: 1}, position=8)
    past = [entry(seq, "call" if seq % 2 else "message") for seq in range(1, 12)]
    # Calls 5 and 7 were live; call 3 is older than the held pattern; nothing beyond 8 was delivered.
    assert [seq for seq, _ in replayed(replay, *past)] == [2, 3, 4, 6, 8, 9, 10, 11]


def test_a_held_pattern_that_is_subscribed_again_is_replayed_from_before_it_was_held() -> None:
    replay = Replay({CALLS: 4}, {CALLS: 1}, position=6)
    assert [seq for seq, _ in replayed(replay, *entries(1, 2, 3, 4, 5, 6, 7))] == [2, 3, 4, 7]
    assert replay.starts == {CALLS: 1}


def test_a_later_start_takes_nothing_from_a_held_pattern() -> None:
    replay = Replay({CALLS: 2}, {CALLS: 9}, position=6)
    assert [seq for seq, _ in replayed(replay, *entries(6, 7, 8, 9, 10))] == [7, 8, 9, 10]


def test_a_start_ahead_of_this_process_waits_for_it_and_held_patterns_lose_nothing() -> None:
    replay = Replay({EVERYTHING: 0}, {CALLS: 9}, position=6)
    assert replay.begins_at == 9
    assert [seq for seq, _ in replayed(replay, *entries(6, 7, 8, 9, 10))] == [7, 8, 9, 10]
    fresh_alone = Replay({}, {CALLS: 9}, position=6)
    assert [seq for seq, _ in replayed(fresh_alone, *entries(7, 8, 9, 10))] == [10]


def test_a_pattern_ended_meanwhile_is_sent_no_more() -> None:
    replay = Replay({}, {CALLS: 0, f"{AGENT}:*:*": 0}, position=5)
    replay.forget(CALLS)
    replay.forget("never held")
    assert replayed(replay, entry(1), entry(2, agent=True)) == [(2, f"{AGENT}:call:1")]


def test_the_customers_topic_is_sent_if_several_match() -> None:
    replay = Replay({}, {f"{AGENT}:*:*": 0, CALLS: 0}, position=1)
    assert replayed(replay, entry(1, agent=True)) == [(1, f"{CUSTOMER}:call:1")]


# --- What the log must have ---


def with_id(seq: int, event_id: str) -> Entry:
    return Entry(seq, "", f'", "data": {{}}, "id": "{event_id}", "cursor": "{"e" * 12}.{seq}"}}', ())


def test_the_mark_has_all_events_since_the_log_was_compared() -> None:
    feed: Feed[str] = Feed("acme", "e" * 12, 2, "two")
    assert feed.mark.ids == {2: "two"}
    feed.offer([with_id(3, "three"), with_id(5, "five"), with_id(3, "given anew"), with_id(2, "given anew")])
    assert (feed.mark.last_seq, feed.mark.ids) == (5, {2: "two", 3: "three", 5: "five"})
    before = feed.mark
    feed.offer([with_id(4, "four")])
    feed.verified(before)
    assert feed.mark.ids == {5: "five"}
    feed.offer([with_id(6, "six")])
    assert feed.mark.ids == {5: "five", 6: "six"}


def test_the_ids_of_a_log_that_cannot_be_compared_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "MAX_IDS", 2)
    feed: Feed[str] = Feed("acme", "e" * 12, 0)
    feed.offer([with_id(seq, str(seq)) for seq in (1, 2, 3)])
    assert (feed.mark.last_seq, feed.mark.ids) == (3, {1: "1", 2: "2"})
