/** The last hour minute by minute: calls, callers waiting, the longest wait, available agents. */

import { outcomeOf } from "./service-level.js";
import { parseTime } from "../shared/time.js";

export const MINUTES = 60;
const MINUTE_MS = 60_000;
const NAMES = ["active", "waiting", "longest", "available"];

function nothing() {
  return Object.fromEntries(NAMES.map((name) => [name, null]));
}

export class Trends {
  #points = new Map(); // minute -> { active, waiting, longest (ms), available }

  copy() {
    const copy = new Trends();
    copy.#points = new Map(this.#points);
    return copy;
  }

  /** Note how things stand, once a minute. */
  note(summary, now) {
    const minute = Math.floor(now / MINUTE_MS);
    if (this.#points.has(minute)) return;
    this.#points.set(minute, present(summary, now));
    for (const old of this.#points.keys()) if (old < minute - MINUTES) this.#points.delete(old);
  }

  /** One number for each of the last 60 minutes, the oldest first, and at the end that of now; null where none is known. */
  series(name, summary, now) {
    const minute = Math.floor(now / MINUTE_MS);
    const past = Array.from({ length: MINUTES }, (_, index) => (this.#points.get(minute - MINUTES + 1 + index) ?? nothing())[name]);
    return [...past, present(summary, now)[name]];
  }

  /** How the minutes from `since` on were, by what happened in them and how things stand now. `events` may be in any order. */
  rebuild(events, board, since, now) {
    const lives = [...callsOf(events), ...[...board.calls.values()].map(({ startedAt, endedAt }) => [startedAt, endedAt ?? Infinity])];
    const places = [...board.calls.values()].map(({ place }) => place).filter((place) => place && place.connectedAt === null);
    const waits = [...waitsOf(events), ...places.map((place) => [place.since, Infinity])];
    const statuses = new Statuses(events, board.agents);
    const minute = Math.floor(now / MINUTE_MS);
    for (let back = 0; back < MINUTES; back += 1) {
      const at = (minute - back) * MINUTE_MS;
      if (at < since) break;
      const waiting = waits.filter(([from, to]) => from <= at && at < to);
      this.#points.set(minute - back, {
        active: lives.filter(([from, to]) => from <= at && at < to).length,
        waiting: waiting.length,
        longest: waiting.length ? at - Math.min(...waiting.map(([from]) => from)) : 0,
        available: statuses.availableAt(at),
      });
    }
  }
}

function present({ active, waiting, oldest, agents }, now) {
  return { active, waiting, longest: oldest ? Math.max(0, now - oldest.place.since) : 0, available: agents.available };
}

/** [from, to] of the calls that ended. */
function callsOf(events) {
  return events
    .filter(({ event_type }) => event_type === "call.ended")
    .map(({ timestamp, data }) => [parseTime(data?.tm_create), parseTime(timestamp)])
    .filter(([from, to]) => from !== null && to !== null);
}

/** [from, to] of the waits that ended. */
function waitsOf(events) {
  return events
    .map(outcomeOf)
    .filter(Boolean)
    .map(({ at, waited }) => [at - waited * 1000, at]);
}

/** The agents' statuses, walked back from now: it only can be asked for earlier and earlier times. */
class Statuses {
  #changes; // the newest first
  #statuses;

  constructor(events, agents) {
    this.#statuses = new Map([...agents].map(([id, { status }]) => [id, status]));
    this.#changes = events
      .filter(({ event_type }) => event_type === "agent.status")
      .map(({ timestamp, topic, data }) => ({ at: parseTime(timestamp), id: topic.split(":")[3], before: data?.previous_status, after: data?.status }))
      .filter(({ at }) => at !== null)
      .sort((one, other) => other.at - one.at);
  }

  availableAt(time) {
    while (this.#changes.length && this.#changes[0].at > time) {
      const { id, before } = this.#changes.shift();
      if (!this.#statuses.has(id)) continue;
      const earlier = before ?? this.#changes.find((change) => change.id === id)?.after;
      this.#statuses.set(id, earlier ?? "");
    }
    return [...this.#statuses.values()].filter((status) => status === "available").length;
  }
}
