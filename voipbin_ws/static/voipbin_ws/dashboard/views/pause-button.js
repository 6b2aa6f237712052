/** The pause: a copy of the board that stays as it is, and the number of events since. */

import { element, setData, setShown, setTexts } from "../../shared/dom.js";
import { timeOfDay } from "../../shared/time.js";

/** @param {number} number @param {string} noun */
function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

export class Pause {
  /** @type {Board | null} */ board = null; // Shown during the pause; `null` without one.
  now = 0; // The time of the pause.
  #events = 0;
  #calls = 0;

  get isOn() {
    return this.board !== null;
  }

  /** @param {Board} board @param {number} now */
  begin(board, now) {
    this.board = board.copy();
    this.now = now;
    this.#events = this.#calls = 0;
    this.show();
  }

  end() {
    this.board = null;
    this.show();
  }

  /** Count an event that is not shown. @param {GatewayEvent} event */
  count(event) {
    if (!this.isOn) return;
    this.#events += 1;
    if (event.event_type === "call.created") this.#calls += 1;
  }

  show() {
    setShown({ "paused-banner": this.isOn });
    element("pause").setAttribute("aria-pressed", String(this.isOn));
    setTexts({ pause: this.isOn ? "Resume" : "Pause" });
    setData(element("board-view"), "paused", this.isOn ? "" : null);
    if (!this.isOn) return;
    const since = this.#events ? `${counted(this.#calls, "new call")} and ${counted(this.#events, "event")} since.` : "No new events.";
    setTexts({ "paused-text": `Paused at ${timeOfDay(this.now)}. ${since}` });
  }
}
