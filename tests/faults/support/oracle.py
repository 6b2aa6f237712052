"""The one judge of all drills: what was acknowledged, what is stored, and what each client received must agree.

Plain: it gets three lists and knows nothing of the gateway's own code, so that a bug there cannot hide itself here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class StoredEvent:
    """An event in the database: its place in its customer's log, and all of its topics."""

    customer_id: str
    seq: int
    id: str
    topics: frozenset[str]


@dataclass(frozen=True)
class Started:
    """A subscription was acknowledged: it is live after number `seq`."""

    seq: int
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class Stopped:
    """An unsubscription was acknowledged."""

    patterns: tuple[str, ...]


@dataclass(frozen=True)
class ReceivedEvent:
    """An event arrived."""

    id: str
    seq: int
    topic: str


@dataclass(frozen=True)
class Missed:
    """The gateway said that it could not recover; the client loaded the state, which is true up to `seq`."""

    seq: int


Happening = Started | Stopped | ReceivedEvent | Missed


@dataclass
class Story:
    """What one client of one customer lived through, in its order."""

    name: str
    customer_id: str
    happenings: list[Happening] = field(default_factory=list)


@dataclass
class Verdict:
    """What the oracle found; `problems` is empty where the promise was kept."""

    published: int = 0
    delivered: int = 0
    lost: int = 0
    doubled: int = 0
    explained: int = 0
    unknown: int = 0
    problems: list[str] = field(default_factory=list)


def covers(pattern: str, topic: str) -> bool:
    """Whether a pattern in canonical form covers a topic; written anew, for the gateway's own may be wrong."""
    return all(want in ("*", have) for want, have in zip(pattern.split(":"), topic.split(":"), strict=True))


def judge(acknowledged: Iterable[str], stored: Sequence[StoredEvent], stories: Iterable[Story]) -> Verdict:
    """Compare the ids that publishers know to be stored, what is stored, and what clients received."""
    verdict = Verdict(published=len(stored))
    ids = {event.id for event in stored}
    if missing := [each for each in acknowledged if each not in ids]:
        verdict.lost += len(missing)
        verdict.problems.append(f"{len(missing)} acknowledged events are not stored, such as {missing[0]}")
    logs: dict[str, list[StoredEvent]] = {}
    for event in stored:
        logs.setdefault(event.customer_id, []).append(event)
    for customer_id, log in logs.items():
        log.sort(key=lambda event: event.seq)
        numbers = [event.seq for event in log]
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            verdict.problems.append(f"the numbers of customer {customer_id} have holes or doubles")
    for story in stories:
        _judge_story(story, logs.get(story.customer_id, []), ids, verdict)
    return verdict


def _judge_story(story: Story, log: Sequence[StoredEvent], ids: set[str], verdict: Verdict) -> None:
    own = {event.id for event in log}
    received = [each for each in story.happenings if isinstance(each, ReceivedEvent)]
    verdict.delivered += len(received)
    # What is stored was read before the end: the gateway may have published the presence of agents since.
    last = max((event.seq for event in log), default=0)
    if strange := [
        each for each in received if each.id not in own and not (each.seq > last and ":agent:" in each.topic)
    ]:
        kind = "of another customer" if strange[0].id in ids else "that is not stored"
        verdict.problems.append(f"{story.name} received {len(strange)} events {kind}, such as {strange[0]}")
    counts = Counter(each.id for each in received)
    if doubles := {each: count for each, count in counts.items() if count > 1}:
        verdict.doubled += sum(count - 1 for count in doubles.values())
        verdict.problems.append(
            f"{story.name} received {len(doubles)} events twice, such as {next(iter(doubles))}"
        )
    expected, optional = _expected(story, log)
    if lost := [event for event in expected.values() if event.id not in counts]:
        verdict.lost += len(lost)
        verdict.problems.append(f"{story.name} never received {len(lost)} events, such as {lost[0]}")
    if unasked := [
        each for each in received if each.id not in expected and each.id not in optional and each.id in own
    ]:
        verdict.problems.append(
            f"{story.name} received {len(unasked)} events that it did not subscribe to: {unasked[0]}"
        )
    _judge_order(story, verdict)


def _expected(story: Story, log: Sequence[StoredEvent]) -> tuple[Mapping[str, StoredEvent], set[str]]:
    """The events that a client must have received, and those that it may have: around an unsubscribe or a gap."""
    must: dict[str, StoredEvent] = {}
    may: set[str] = set()
    spans: dict[str, list[tuple[int, int | None]]] = {}
    open_at: dict[str, int] = {}
    last_received = 0
    holes: list[tuple[int, int]] = []
    for each in story.happenings:
        match each:
            case Started(seq, patterns):
                for pattern in patterns:
                    open_at.setdefault(pattern, seq)
            case Stopped(patterns):
                for pattern in patterns:
                    spans.setdefault(pattern, []).append((open_at.pop(pattern), last_received))
            case ReceivedEvent():
                last_received = max(last_received, each.seq)
            case Missed(seq):
                holes.append((last_received, seq))
    for pattern, seq in open_at.items():
        spans.setdefault(pattern, []).append((seq, None))
    for event in log:
        for pattern, lived in spans.items():
            if not any(covers(pattern, topic) for topic in event.topics):
                continue
            if any(after < event.seq and (upto is None or event.seq <= upto) for after, upto in lived):
                if any(after < event.seq <= upto for after, upto in holes):
                    may.add(event.id)
                else:
                    must[event.id] = event
            elif any(after < event.seq for after, _ in lived):
                may.add(event.id)
    return must, may


def _judge_order(story: Story, verdict: Verdict) -> None:
    """Numbers rise, but that a subscription which begins in the past starts from there."""
    last = 0
    for each in story.happenings:
        if isinstance(each, Started):
            last = min(last, each.seq)
        elif isinstance(each, ReceivedEvent):
            if each.seq <= last:
                verdict.problems.append(f"{story.name} received number {each.seq} after number {last}")
                return
            last = each.seq
