/** A person's alerts: which conditions raise one, which are open, and the last twenty. Sans-I/O. */

import { duration } from "../shared/time.js";
import { gettext } from "../shared/gettext.js";

/** @typedef {{ waitSeconds: number, awayMinutes: number, level: boolean, nobody: boolean, stale: boolean, sound: boolean, desktop: boolean, mutedUntil: number }} AlertRules 0 and false turn a rule off. */
/** @typedef {{ key: string, kind: "wait" | "level" | "nobody" | "away" | "stale", id: string, name: string, text: string, at: number, isOpen: boolean, isSeen: boolean }} Alert */
/** @typedef {{ queueName: string, queueId: string, since: number }} Wait A call that waits. */
/** @typedef {{ id: string, name: string, waiting: number, available: number | null, isBreached: boolean }} QueueFacts */
/** @typedef {{ waits: Wait[], queues: QueueFacts[], agents: { id: string, name: string, group: string, since: number }[], isStale: boolean }} Facts */
/** @typedef {Omit<Alert, "at" | "isOpen" | "isSeen"> & { holdMs: number }} Condition */

const KEPT = 20;
const NOBODY_HOLD_MS = 15_000; // Between two calls, an agent is not available for moments.
const STALE_HOLD_MS = 10_000; // A short break repairs itself.
const REOPEN_WITHIN_MS = 60_000; // A condition that returns so soon continues its alert.
const MAX_WAIT_SECONDS = 86_400;
const MAX_AWAY_MINUTES = 1440;
const MUTE_MS = 15 * 60_000;

/** @type {AlertRules} */
export const DEFAULT_RULES = { waitSeconds: 60, awayMinutes: 15, level: true, nobody: true, stale: true, sound: true, desktop: false, mutedUntil: 0 };

/** Return a stored value as rules; the default of each part that is not valid. @param {string | null} text */
export function readRules(text) {
  const rules = { ...DEFAULT_RULES };
  try {
    const stored = JSON.parse(text ?? "{}");
    for (const [name, most] of /** @type {const} */ ([["waitSeconds", MAX_WAIT_SECONDS], ["awayMinutes", MAX_AWAY_MINUTES]])) {
      if (Number.isInteger(stored[name]) && stored[name] >= 0) rules[name] = Math.min(stored[name], most);
    }
    for (const name of /** @type {const} */ (["level", "nobody", "stale", "sound", "desktop"])) if (typeof stored[name] === "boolean") rules[name] = stored[name];
    if (Number.isFinite(stored.mutedUntil)) rules.mutedUntil = stored.mutedUntil;
  } catch {
    return { ...DEFAULT_RULES };
  }
  return rules;
}

/** Return the conditions that hold now. @param {AlertRules} rules @param {Facts} facts @param {number} now @returns {Condition[]} */
function conditions(rules, { waits, queues, agents, isStale }, now) {
  if (isStale) return rules.stale ? [{ key: "stale", kind: "stale", id: "", name: "", text: gettext("No live data: the connection to the gateway is lost."), holdMs: STALE_HOLD_MS }] : [];
  /** @type {Map<string, Condition>} */
  const found = new Map();
  const limit = rules.waitSeconds * 1000;
  for (const { queueId, queueName, since } of waits) {
    if (!limit || now - since <= limit) continue;
    const key = `wait ${queueId}`;
    found.set(key, { key, kind: "wait", id: queueId, name: queueName, text: gettext("A caller has waited longer than {time}.", { time: duration(limit) }), holdMs: 0 });
  }
  for (const { id, name, waiting, available, isBreached } of queues) {
    if (rules.level && isBreached) found.set(`level ${id}`, { key: `level ${id}`, kind: "level", id, name, text: gettext("The service level is below its target."), holdMs: 0 });
    if (!rules.nobody || !waiting || available !== 0) continue;
    found.set(`nobody ${id}`, { key: `nobody ${id}`, kind: "nobody", id, name, text: gettext("Callers wait, and no agent is available."), holdMs: NOBODY_HOLD_MS });
  }
  const awayLimit = rules.awayMinutes * 60_000;
  for (const { id, name, group, since } of agents) {
    if (!awayLimit || group !== "away" || now - since <= awayLimit) continue;
    found.set(`away ${id}`, { key: `away ${id}`, kind: "away", id, name, text: gettext("Away for longer than {minutes} min.", { minutes: rules.awayMinutes }), holdMs: 0 });
  }
  return [...found.values()];
}

export class Alerts {
  rules = { ...DEFAULT_RULES };
  /** The newest first. @type {Alert[]} */ list = [];
  /** Since when each condition holds. @type {Map<string, number>} */ #since = new Map();
  /** When the condition of an alert last held. @type {Map<string, number>} */ #heldAt = new Map();

  /** Compare the rules with what is the case, and return the new alerts. @param {Facts} facts @param {number} now @returns {Alert[]} */
  check(facts, now) {
    const held = conditions(this.rules, facts, now);
    const keys = new Set(held.map(({ key }) => key));
    // Without live data, nothing is known of the others.
    const isKnown = (/** @type {string} */ key) => !facts.isStale || key === "stale";
    for (const key of this.#since.keys()) if (!keys.has(key) && isKnown(key)) this.#since.delete(key);
    for (const alert of this.list) if (alert.isOpen && !keys.has(alert.key) && isKnown(alert.key)) alert.isOpen = false;
    const raised = held.flatMap((condition) => this.#raise(condition, now) ?? []);
    this.list = [...raised.toReversed(), ...this.list].slice(0, KEPT);
    return raised;
  }

  /** Return the alert that a condition raises; `null` if it is open already, or has not held long enough. @param {Condition} condition @param {number} now */
  #raise({ holdMs, ...condition }, now) {
    const { key } = condition;
    const since = this.#since.get(key) ?? now;
    this.#since.set(key, since);
    if (now - since < holdMs) return null;
    const last = this.list.find((alert) => alert.key === key);
    const isContinued = last && (last.isOpen || now - (this.#heldAt.get(key) ?? 0) < REOPEN_WITHIN_MS);
    this.#heldAt.set(key, now);
    if (!isContinued) return { ...condition, at: now, isOpen: true, isSeen: false };
    last.isOpen = true;
    return null;
  }

  get unseen() {
    return this.list.filter(({ isSeen }) => !isSeen).length;
  }

  markSeen() {
    for (const alert of this.list) alert.isSeen = true;
  }

  /** Whether sound and notifications are muted. @param {number} now */
  isMuted(now) {
    // A clock that was set back mutes no longer than the button does.
    return now < this.rules.mutedUntil && this.rules.mutedUntil <= now + MUTE_MS;
  }

  /** Mute them for a while, or no longer. @param {number} now */
  toggleMute(now) {
    this.rules.mutedUntil = this.isMuted(now) ? 0 : now + MUTE_MS;
  }

  clear() {
    this.list = [];
    this.#since.clear();
    this.#heldAt.clear();
  }
}
