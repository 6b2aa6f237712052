/** A past moment on the board, and the events after it, which a clock brings back. Sans-I/O, except for the clock. */

import { Board } from "./board.js";
import { PlaybackClock } from "../shared/gateway-clock.js";
import { parseTime } from "../shared/time.js";

/** @typedef {{ events: GatewayEvent[], cursor: string, next: string | null, readAt: number }} EventPage `next` is the place of the next page; without one, the log was read up to `readAt`. */

export const HOUR_MS = 3_600_000;
export const RATES = [1, 5, 20, 60];

const MOST_WAITING = 5000; // So many loaded events are enough at any rate.
const AHEAD_MS = 10_000; // Of the viewer's time: so much is loaded ahead.

export class LookBack {
  /** @type {Board | null} */ board = null; // The board of the moment; `null` while the page is live.
  clock = new PlaybackClock();
  cursor = ""; // Of the last event that was loaded.
  /** @type {string | null} */ next = null; // The place of the next page of events.
  /** @type {GatewayEvent[]} */ #events = []; // Loaded, and still to come.
  #knownUntil = 0; // Up to this time all events are loaded.
  #appliedAt = 0; // The time of the last event that was applied.

  get isOn() {
    return this.board !== null;
  }

  get now() {
    return this.clock.now;
  }

  get isPlaying() {
    return this.isOn && this.clock.rate > 0;
  }

  /** Whether no event had been stored by the moment that was chosen. */
  get isBeforeLog() {
    return this.cursor.endsWith(".0");
  }

  /** The hour of the clock in which the moment is, of which the slider shows the part before `present`. @param {number} present */
  hour(present) {
    const at = new Date(this.now);
    // Not `setMinutes`: of an hour that the clock repeats, it chooses the first.
    const begin = this.now - (at.getMinutes() * 60 + at.getSeconds()) * 1000 - at.getMilliseconds();
    return { begin, end: Math.min(begin + HOUR_MS, present) };
  }

  /** Show the states of a moment. @param {Parameters<Board["load"]>[0]} content @param {number} at @param {string} cursor */
  begin(content, at, cursor) {
    // The directory has the present statuses; those of the moment are among the states.
    const agents = content.me.agents.map((agent) => ({ ...agent, status: "", status_changed_at: undefined }));
    this.board = new Board();
    this.board.load({ ...content, me: { ...content.me, agents }, hadCalls: true }, at);
    this.clock.set(at);
    this.cursor = cursor;
    this.next = null;
    this.#events = [];
    this.#knownUntil = this.#appliedAt = at;
  }

  end() {
    this.board = null;
    this.clock.run(0);
    this.#events = [];
  }

  /** Whether events have to be loaded so that the clock can go on. */
  get isDue() {
    return this.isPlaying && this.#events.length < MOST_WAITING && this.#knownUntil - this.now < AHEAD_MS * this.clock.rate;
  }

  /** Add the next page of events. @param {EventPage} page */
  add({ events, cursor, next, readAt }) {
    for (const event of events) this.#events.push(event);
    this.next = next;
    if (!next) this.cursor = cursor;
    const last = events.at(-1);
    this.#knownUntil = Math.max(this.#knownUntil, next ? (last && parseTime(last.timestamp)) ?? 0 : readAt);
  }

  /** Apply the events up to the clock's time, which waits for those that are not loaded. Returns whether the board changed. */
  advance() {
    const { board } = this;
    if (!board) return false;
    if (this.now > this.#knownUntil) this.clock.set(this.#knownUntil);
    const { now } = this;
    let count = 0;
    // In the order of the log: an event that was published late comes with those around it.
    for (const event of this.#events) {
      const at = Math.max(this.#appliedAt, parseTime(event.timestamp) ?? 0);
      if (at > now) break;
      this.#appliedAt = at;
      board.apply(event, at);
      count += 1;
    }
    this.#events.splice(0, count);
    return count > 0;
  }
}
