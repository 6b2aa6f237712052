/** How waits in queues ended in the last hour: answered in time, answered late, or abandoned. Sans-I/O. */

import { waitingSince } from "../shared/call.js";
import { inOrder, States } from "../shared/resource-state.js";
import { parseTime } from "../shared/time.js";

/** @typedef {import("../shared/state.js").State} State */
/** @typedef {{ at: number, answered: boolean, waited: number }} Outcome How a wait ended, `waited` in seconds. */
/** @typedef {{ answered: number, inTime: number, abandoned: number }} Counts */

export const ANSWERED_WITHIN_SECONDS = 20;
export const LATE_SECONDS = 60;
export const MIN_ABANDONED_SECONDS = 5; // A caller who gives up sooner does not count as abandoned.
export const GOOD_SHARE = 0.8;
export const FAIR_SHARE = 0.7;
export const WINDOW_MS = 3_600_000;
export const BARS = 12;

const SLOT_MS = 10_000;
const BAR_MS = WINDOW_MS / BARS;

/**
 * Return how an event ends a wait, `waited` in seconds; `null` if it does not.
 * @param {GatewayEvent} event @param {State | undefined} place The call's place in the queue before the event, if it is known.
 * @returns {Outcome | null}
 */
export function outcomeOf({ event_type, timestamp, data }, place) {
  const answered = event_type === "queue.connected";
  const abandoned = event_type === "queue.left" && /^abandon/.test(data.reason ?? "");
  if ((!answered && !abandoned) || (place && (!place.live || place.status === "connected"))) return null;
  const at = parseTime(timestamp);
  const joined = parseTime(data.tm_join) ?? (place ? waitingSince(place) : null);
  const waited = data.wait_time ?? (joined === null || at === null ? null : Math.max(0, at - joined) / 1000);
  return at === null || typeof waited !== "number" ? null : { at, answered, waited };
}

/** Return how the waits in the queues ended, with the ids of the events. @param {GatewayEvent[]} events In any order. */
export function outcomesOf(events) {
  const states = new States();
  return inOrder(events).flatMap((event) => {
    const outcome = event.event_type.startsWith("queue.") ? outcomeOf(event, placeOf(event, states)) : null;
    states.apply(event);
    return outcome ? [{ id: event.id, ...outcome }] : [];
  });
}

/** Return the state of the call's place in the queue of an event. @param {GatewayEvent} event @param {States} states */
export function placeOf({ topic, data }, states) {
  return states.get("queue", topic.split(":")[3], data.call_id);
}

/** Return the grade of a service level; `null` without samples. @param {number | null} level */
export function grade(level) {
  if (level === null) return null;
  return level >= GOOD_SHARE ? "good" : level >= FAIR_SHARE ? "fair" : "poor";
}

export class ServiceLevel {
  /** @type {Map<number, Counts>} */ #slots = new Map(); // By start of ten seconds, so that memory does not grow with the day.
  /** @type {number | null} */ since = null; // Since when the counts are complete; `null` if unknown.

  /** @param {Outcome} outcome */
  add(outcome) {
    const start = Math.floor(outcome.at / SLOT_MS) * SLOT_MS;
    const counts = this.#slots.get(start) ?? { answered: 0, inTime: 0, abandoned: 0 };
    if (outcome.answered) {
      counts.answered += 1;
      if (outcome.waited <= ANSWERED_WITHIN_SECONDS) counts.inTime += 1;
    } else if (outcome.waited >= MIN_ABANDONED_SECONDS) counts.abandoned += 1;
    this.#slots.set(start, counts);
  }

  copy() {
    const copy = new ServiceLevel();
    copy.#slots = new Map([...this.#slots].map(([start, counts]) => [start, { ...counts }]));
    copy.since = this.since;
    return copy;
  }

  /** Return the figures of the last hour. @param {number} now */
  figures(now) {
    for (const start of this.#slots.keys()) if (start <= now - WINDOW_MS - SLOT_MS) this.#slots.delete(start);
    return this.#between(now - WINDOW_MS, Infinity);
  }

  /** Return the figures of each five minutes of the last hour, the oldest first. @param {number} now */
  bars(now) {
    const end = Math.ceil(now / BAR_MS) * BAR_MS;
    return Array.from({ length: BARS }, (_, index) => this.#between(end - (BARS - index) * BAR_MS, end - (BARS - 1 - index) * BAR_MS));
  }

  /** @param {number} from @param {number} to @returns {Figures} */
  #between(from, to) {
    const sum = { answered: 0, inTime: 0, abandoned: 0 };
    for (const [start, { answered, inTime, abandoned }] of this.#slots) {
      if (start + SLOT_MS <= from || start >= to) continue;
      sum.answered += answered;
      sum.inTime += inTime;
      sum.abandoned += abandoned;
    }
    const { inTime, abandoned } = sum;
    const samples = sum.answered + abandoned;
    return { samples, inTime, abandoned, level: samples ? inTime / samples : null, abandonedShare: samples ? abandoned / samples : null };
  }
}
