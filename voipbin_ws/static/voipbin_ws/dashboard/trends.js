/** The last hour minute by minute: active calls, waiting callers, the longest wait, available agents. Sans-I/O. */

import { parseTime } from "../shared/time.js";

/** @typedef {import("./service-level.js").Outcome} Outcome */
/** @typedef {{ active: number, waiting: number, longest: number, available: number }} Point `longest` in milliseconds. */
/** @typedef {[from: number, to: number]} Span */

export const MINUTES = 60;
const MINUTE_MS = 60_000;

export class Trends {
  /** @type {Map<number, Point>} */ #points = new Map(); // By minute since the epoch.

  copy() {
    const copy = new Trends();
    copy.#points = new Map(this.#points);
    return copy;
  }

  /** Record the current numbers, once a minute. @param {Summary} summary @param {number} now */
  note(summary, now) {
    const minute = Math.floor(now / MINUTE_MS);
    if (this.#points.has(minute)) return;
    this.#points.set(minute, pointOf(summary, now));
    for (const old of this.#points.keys()) if (old < minute - MINUTES) this.#points.delete(old);
  }

  /** Return the numbers of the last 60 minutes, `null` if unknown, and the current one. @param {keyof Point} name @param {Summary} summary @param {number} now */
  series(name, summary, now) {
    const minute = Math.floor(now / MINUTE_MS);
    const past = Array.from({ length: MINUTES }, (_, index) => this.#points.get(minute - MINUTES + 1 + index)?.[name] ?? null);
    return [...past, pointOf(summary, now)[name]];
  }

  /** Compute the minutes since `since`. @param {GatewayEvent[]} events In any order. @param {Outcome[]} outcomes @param {Board} board @param {number} since @param {number} now */
  rebuild(events, outcomes, board, since, now) {
    const calls = [...board.calls.values()];
    /** @type {Span[]} */
    const lives = [...endedCalls(events), .../** @type {Span[]} */ (calls.map(({ startedAt, endedAt }) => [startedAt, endedAt ?? Infinity]))];
    const places = calls.flatMap(({ place }) => (place && place.connectedAt === null ? [place] : []));
    const waits = [...endedWaits(outcomes), .../** @type {Span[]} */ (places.map(({ since: from }) => [from, Infinity]))];
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

/** @param {Summary} summary @param {number} now @returns {Point} */
function pointOf({ active, waiting, oldest, agents }, now) {
  return { active, waiting, longest: oldest ? Math.max(0, now - oldest.since) : 0, available: agents.available };
}

/** @param {GatewayEvent[]} events @returns {Span[]} */
function endedCalls(events) {
  return events.flatMap(({ event_type, timestamp, data }) => {
    const from = parseTime(data?.tm_create);
    const to = parseTime(timestamp);
    return event_type === "call.ended" && from !== null && to !== null ? [/** @type {Span} */ ([from, to])] : [];
  });
}

/** @param {Outcome[]} outcomes @returns {Span[]} */
function endedWaits(outcomes) {
  return outcomes.map(({ at, waited }) => [at - waited * 1000, at]);
}

/** The agents' statuses, followed back in time: each query must be for an earlier time than the one before. */
class Statuses {
  #changes; // The newest first.
  #statuses;

  /** @param {GatewayEvent[]} events @param {Board["agents"]} agents */
  constructor(events, agents) {
    this.#statuses = new Map([...agents].map(([id, { status }]) => [id, status]));
    this.#changes = events
      .filter(({ event_type }) => event_type === "agent.status")
      .map(({ timestamp, topic, data }) => ({ at: parseTime(timestamp) ?? NaN, id: topic.split(":")[3], before: data?.previous_status, after: data?.status }))
      .filter(({ at }) => !Number.isNaN(at))
      .sort((one, other) => other.at - one.at);
  }

  /** @param {number} time */
  availableAt(time) {
    for (let change = this.#changes[0]; change?.at > time; change = this.#changes[0]) {
      this.#changes.shift();
      const { id, before } = change;
      if (!this.#statuses.has(id)) continue;
      const earlier = before ?? this.#changes.find((each) => each.id === id)?.after;
      this.#statuses.set(id, earlier ?? "");
    }
    return [...this.#statuses.values()].filter((status) => status === "available").length;
  }
}
