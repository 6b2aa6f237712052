/** The figures of queues and agents, which the gateway counts and sends. Sans-I/O. */

import { parseTime } from "../shared/time.js";

/** @typedef {{ target_seconds: number, target_percent: number, wait_alarm_seconds: number, short_abandon_seconds: number }} Targets */
/**
 * @typedef {{ at?: string, answered?: number, abandoned?: number, service_level?: number, waiting?: number, longest_wait_seconds?: number,
 *   available?: number }} Bucket Five minutes; what is zero is missing.
 */
/**
 * @typedef {{ queue_id?: string, name?: string | null, answered: number, answered_in_time: number, abandoned: number, service_level: number | null,
 *   targets: Targets, is_breached: boolean, breached_since: string | null, today: Record<string, number | null>, buckets: Bucket[] }} Figures
 */

export const BARS = 12;

const BAR_MS = 300_000;
export const FAIR_POINTS = 10; // Below the target by at most so much, a level is fair.

/** What applies until the gateway has sent the targets. @type {Targets} */
export const DEFAULT_TARGETS = Object.freeze({ target_seconds: 20, target_percent: 80, wait_alarm_seconds: 60, short_abandon_seconds: 5 });

export class QueueFigures {
  /** Of all queues together; `null` until they are known. @type {Figures | null} */ total = null;
  isKnown = true; // Whether the gateway can count them for the shown moment.
  /** By the queue's id. @type {Map<string, Figures>} */ queues = new Map();

  /** Take over a frame of a summary. @param {GatewayEvent} event */
  apply({ topic, data }) {
    const id = topic.split(":")[3];
    if (id === "all") this.total = data;
    else this.queues.set(id, data);
  }

  /** Take over the answer of /v1.0/summary; `null` if there is none for the moment. @param {{ total: Figures | null, queues: Figures[] } | null} summary */
  load(summary) {
    this.isKnown = summary !== null;
    this.total = summary?.total ?? null;
    this.queues = new Map((summary?.queues ?? []).map((figures) => [figures.queue_id ?? "", figures]));
  }

  copy() {
    const copy = new QueueFigures();
    copy.isKnown = this.isKnown;
    copy.total = this.total;
    copy.queues = new Map(this.queues);
    return copy;
  }

  /** Return the targets of a queue. @param {string | null | undefined} id */
  targetsOf(id) {
    return (id && this.queues.get(id)?.targets) || this.total?.targets || DEFAULT_TARGETS;
  }
}

/** Return the callers by whom a level is judged. @param {{ answered?: number, abandoned?: number }} counts */
export function judged({ answered = 0, abandoned = 0 }) {
  return answered + abandoned;
}

/** Return the share of the callers who gave up, from 0 to 1; `null` without callers. @param {{ answered?: number, abandoned?: number }} counts */
export function abandonedShare(counts) {
  return judged(counts) ? (counts.abandoned ?? 0) / judged(counts) : null;
}

/** Return the grade of a service level; `null` without callers. @param {number | null} level In per cent. @param {Targets} targets @returns {"good" | "warn" | "bad" | null} */
export function grade(level, { target_percent: target }) {
  if (level === null) return null;
  return level >= target ? "good" : level >= target - FAIR_POINTS ? "warn" : "bad";
}

/** Return how bad a wait is; `null` for a normal one. @param {number | null} milliseconds @param {Targets} targets @returns {"warn" | "bad" | null} */
export function waitLevel(milliseconds, { target_seconds: target, wait_alarm_seconds: alarm }) {
  if (milliseconds === null) return null;
  if (milliseconds > alarm * 1000) return "bad";
  return milliseconds > target * 1000 ? "warn" : null;
}

/**
 * Return a value of each bucket of the last hour, the oldest first.
 * @template T @param {Figures | null} figures @param {number} now @param {(bucket: Bucket) => T} valueOf
 */
export function lastHour(figures, now, valueOf) {
  const buckets = new Map((figures?.buckets ?? []).map((bucket) => [parseTime(bucket.at ?? null), bucket]));
  const last = Math.floor(now / BAR_MS) * BAR_MS;
  return Array.from({ length: BARS }, (_, index) => valueOf(buckets.get(last - (BARS - 1 - index) * BAR_MS) ?? {}));
}
