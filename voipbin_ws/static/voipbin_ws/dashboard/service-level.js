/** How waiting ended in the last hour: how many callers were answered, how soon, and how many gave up. */

import { parseTime } from "../shared/time.js";

export const ANSWERED_WITHIN_SECONDS = 20;
export const LATE_SECONDS = 60;
export const HARDLY_WAITED_SECONDS = 5; // Who gives up sooner was not kept waiting.
export const GOOD_SHARE = 0.8;
export const FAIR_SHARE = 0.7;
export const WINDOW_MS = 3_600_000;
export const BARS = 12;

const SLOT_MS = 10_000;
const BAR_MS = WINDOW_MS / BARS;

/** Whether an event ends somebody's waiting in a queue: { at, answered, waited (seconds) }; null where it does not. */
export function outcomeOf({ event_type, timestamp, data }) {
  const answered = event_type === "queue.connected";
  const abandoned = event_type === "queue.left" && /^abandon/.test(data?.reason ?? "");
  if (!answered && !abandoned) return null;
  const at = parseTime(timestamp);
  const joined = parseTime(data.tm_join);
  const waited = data.wait_time ?? (joined === null || at === null ? null : (at - joined) / 1000);
  return at === null || typeof waited !== "number" ? null : { at, answered, waited };
}

/** "good", "fair" or "poor"; null without samples. */
export function grade(level) {
  if (level === null) return null;
  return level >= GOOD_SHARE ? "good" : level >= FAIR_SHARE ? "fair" : "poor";
}

export class ServiceLevel {
  #slots = new Map(); // start of ten seconds -> counts; so a day at this page takes no more room than an hour

  /** From when on all is known, when that is less than an hour; null while nothing is known of before. */
  since = null;

  take(event) {
    const outcome = outcomeOf(event);
    if (outcome === null) return;
    const start = Math.floor(outcome.at / SLOT_MS) * SLOT_MS;
    const counts = this.#slots.get(start) ?? { answered: 0, inTime: 0, abandoned: 0 };
    if (outcome.answered) {
      counts.answered += 1;
      if (outcome.waited <= ANSWERED_WITHIN_SECONDS) counts.inTime += 1;
    } else if (outcome.waited >= HARDLY_WAITED_SECONDS) counts.abandoned += 1;
    this.#slots.set(start, counts);
  }

  copy() {
    const copy = new ServiceLevel();
    copy.#slots = new Map([...this.#slots].map(([start, counts]) => [start, { ...counts }]));
    copy.since = this.since;
    return copy;
  }

  /** Of the last hour: { samples, inTime, abandoned, level, abandonedShare }, shares from 0 to 1 or null without samples. */
  figures(now) {
    for (const start of this.#slots.keys()) if (start <= now - WINDOW_MS - SLOT_MS) this.#slots.delete(start);
    return this.#between(now - WINDOW_MS, Infinity);
  }

  /** The same for each five minutes of the last hour, the oldest first; the last ones are of now. */
  bars(now) {
    const end = Math.ceil(now / BAR_MS) * BAR_MS;
    return Array.from({ length: BARS }, (_, index) => this.#between(end - (BARS - index) * BAR_MS, end - (BARS - 1 - index) * BAR_MS));
  }

  #between(from, to) {
    const sum = { answered: 0, inTime: 0, abandoned: 0 };
    for (const [start, counts] of this.#slots) {
      if (start + SLOT_MS <= from || start >= to) continue;
      for (const name of Object.keys(sum)) sum[name] += counts[name];
    }
    const { inTime, abandoned } = sum;
    const samples = sum.answered + abandoned;
    return { samples, inTime, abandoned, level: samples ? inTime / samples : null, abandonedShare: samples ? abandoned / samples : null };
  }
}
