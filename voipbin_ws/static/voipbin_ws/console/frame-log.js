/** The frames of the console: the newest ones, what is searched for, and what a line shows of each. Sans-I/O. */

import { gettext, ngettext, shownNumber } from "../shared/gettext.js";

export const MAX_FRAMES = 500;
const MAX_INACCURACY_MS = 1000;

/** @typedef {{ number: number, at: number, direction: "sent" | "received", frame: any, text: string }} LoggedFrame */

/** The newest frames, newest first. */
export class FrameLog {
  isPaused = false;
  missed = 0; // Frames that came while the log was paused.
  search = "";
  /** @type {LoggedFrame[]} */ #frames = [];
  #count = 0;

  /** Add a frame. @param {"sent" | "received"} direction @param {any} frame @param {number} at The gateway's time in milliseconds. */
  add(direction, frame, at) {
    this.#count += 1;
    if (this.isPaused) {
      this.missed += 1;
      return;
    }
    this.#frames.unshift({ number: this.#count, at, direction, frame, text: JSON.stringify(frame) });
    if (this.#frames.length > MAX_FRAMES) this.#frames.length = MAX_FRAMES;
  }

  clear() {
    this.#frames = [];
    this.missed = 0;
  }

  /** The frames that contain the searched text, in any case. */
  get shown() {
    const wanted = this.search.trim().toLowerCase();
    return wanted ? this.#frames.filter(({ text }) => text.toLowerCase().includes(wanted)) : this.#frames;
  }

  /** What the page says above the frames. */
  get summary() {
    const shown = this.shown.length;
    const all = this.#frames.length;
    const missed = this.missed ? ` ${gettext("Paused: {count} more came.", { count: this.missed })}` : "";
    if (!all) return `${gettext("No frame yet.")}${missed}`;
    const frames = shown === all
      ? ngettext("{count} frame, newest first.", "{count} frames, newest first.", all)
      : ngettext("{shown} of {count} frame, newest first.", "{shown} of {count} frames, newest first.", all, { shown });
    return `${frames}${missed}`;
  }
}

/** Return the name of a frame: its event type, or its type and action. @param {any} frame */
export function nameOf(frame) {
  if (frame.event_type) return String(frame.event_type);
  return [frame.type, frame.action, frame.code].filter((part) => typeof part === "string").join(" ");
}

/** Return the topics of a frame in one line. @param {any} frame */
export function topicsOf(frame) {
  if (typeof frame.topic === "string") return frame.topic;
  return Array.isArray(frame.topics) ? frame.topics.join(", ") : "";
}

/** Return how long after its timestamp an event arrived; "" for other frames. @param {any} frame @param {number} at */
export function latencyOf(frame, at) {
  const published = frame.event_type ? Date.parse(frame.timestamp) : NaN;
  const milliseconds = Math.round(at - published);
  // The page's reading of the gateway's clock is not exact to the millisecond.
  if (Number.isNaN(milliseconds) || milliseconds < -MAX_INACCURACY_MS) return "";
  return milliseconds < 10_000 ? `${shownNumber(Math.max(0, milliseconds))} ms` : `${shownNumber(Math.round(milliseconds / 1000))} s`;
}
