/** The figures of queues and agents, which the gateway counts and sends. Sans-I/O. */

import { parseTime } from "../shared/time.js";

/** @typedef {{ target_seconds: number, target_percent: number, wait_alarm_seconds: number, short_abandon_seconds: number }} Targets */
/**
 * @typedef {{ at?: string, answered?: number, answered_in_time?: number, abandoned?: number, service_level?: number, waiting?: number, longest_wait_seconds?: number,
 *   available?: number }} Bucket Five minutes; what is zero is missing.
 */
/**
 * @typedef {{ queue_id?: string, name?: string | null, waiting: number, longest_wait_since: string | null, answered: number, answered_in_time: number, abandoned: number,
 *   service_level: number | null, targets: Targets, is_breached: boolean, breached_since: string | null, today: Record<string, number | null>, buckets: Bucket[] }} Figures
 */

export const BARS = 12;

const BAR_MS = 300_000;
export const FAIR_POINTS = 10; // Below the target by at most so much, a level is fair.

/** What applies until the gateway has sent the targets. @type {Targets} */
export const DEFAULT_TARGETS = Object.freeze({ target_seconds: 20, target_percent: 80, wait_alarm_seconds: 60, short_abandon_seconds: 5 });

export class QueueFigures {
  /** Of all queues together; `null` until they are known. @type {Figures | null} */ total = null;
  isComing = true; // Whether the gateway may still send some.
  /** By the queue's id. @type {Map<string, Figures>} */ queues = new Map();

  /** Take over a frame of a summary. @param {GatewayEvent} event */
  apply({ topic, data }) {
    const id = topic.split(":")[3];
    if (id === "all") this.total = data;
    else this.queues.set(id, data);
  }

  /** Those of all queues together, or else of the queues that the token may read; `null` if there are none. */
  get whole() {
    return this.total ?? sumOf([...this.queues.values()]);
  }

  /** Take over the answer of /v1.0/summary; `null` if there is none for the moment. @param {{ total: Figures | null, queues: Figures[] } | null} summary */
  load(summary) {
    this.isComing = false;
    this.total = summary?.total ?? null;
    this.queues = new Map((summary?.queues ?? []).map((figures) => [figures.queue_id ?? "", figures]));
  }

  copy() {
    const copy = new QueueFigures();
    copy.isComing = this.isComing;
    copy.total = this.total;
    copy.queues = new Map(this.queues);
    return copy;
  }

  /** Return the targets of a queue. @param {string | null | undefined} id */
  targetsOf(id) {
    return (id && this.queues.get(id)?.targets) || this.whole?.targets || DEFAULT_TARGETS;
  }
}

/**
 * Return the figures of some queues together; `null` without any. Agents can serve several of them: they are not added up.
 * @template {Figures & { agents?: AgentCounts }} T @param {T[]} queues @returns {T | null}
 */
export function sumOf(queues) {
  if (queues.length < 2) return queues[0] ?? null;
  const waits = queues.map((each) => each.longest_wait_since).filter((each) => each !== null);
  /** @type {Map<string | undefined, Bucket>} */
  const buckets = new Map();
  for (const bucket of queues.flatMap((each) => each.buckets)) {
    const { longest_wait_seconds: longest = 0 } = buckets.get(bucket.at) ?? {};
    buckets.set(bucket.at, { at: bucket.at, ...countsOf([buckets.get(bucket.at) ?? {}, bucket]), longest_wait_seconds: Math.max(longest, bucket.longest_wait_seconds ?? 0) });
  }
  const { service_level: level = null, ...counts } = countsOf(queues);
  return {
    ...queues[0],
    ...{ ...counts, service_level: level, buckets: [...buckets.values()] },
    longest_wait_since: waits.sort()[0] ?? null,
    agents: undefined,
    is_breached: queues.some((each) => each.is_breached),
  };
}

/** Return the sums of counts, and the service level that follows, `undefined` without callers. @param {Omit<Bucket, "service_level">[]} counts */
function countsOf(counts) {
  const sum = (/** @type {"answered" | "answered_in_time" | "abandoned" | "waiting"} */ name) => counts.reduce((total, each) => total + (each[name] ?? 0), 0);
  const sums = { answered: sum("answered"), answered_in_time: sum("answered_in_time"), abandoned: sum("abandoned"), waiting: sum("waiting") };
  return { ...sums, service_level: judged(sums) ? Math.floor((sums.answered_in_time / judged(sums)) * 1000) / 10 : undefined };
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
