/** Holding the page still for whoever wants to read: the board as it was, and what came since. */

import { element, setData, setText } from "../../shared/dom.js";
import { timeOfDay } from "../../shared/time.js";

function counted(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

export class Pause {
  /** The board that is shown meanwhile; null while nothing is held. */
  board = null;
  #now = 0;
  #events = 0;
  #calls = 0;

  get isOn() {
    return this.board !== null;
  }

  /** The time that is shown meanwhile. */
  get now() {
    return this.#now;
  }

  begin(board, now) {
    this.board = board.copy();
    this.#now = now;
    this.#events = this.#calls = 0;
    this.show();
  }

  end() {
    this.board = null;
    this.show();
  }

  /** Something happened that is not shown. */
  count(event) {
    if (!this.isOn) return;
    this.#events += 1;
    if (event.event_type === "call.created") this.#calls += 1;
  }

  show() {
    element("paused-banner").hidden = !this.isOn;
    element("pause").setAttribute("aria-pressed", String(this.isOn));
    setText(element("pause"), this.isOn ? "Resume" : "Pause");
    setData(element("board-view"), "paused", this.isOn ? "" : null);
    if (!this.isOn) return;
    const news = this.#events ? `${counted(this.#calls, "new call")} and ${counted(this.#events, "event")} since.` : "Nothing new since.";
    setText(element("paused-text"), `Paused: this is as of ${timeOfDay(this.#now)}. ${news}`);
  }
}
