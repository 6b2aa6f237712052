/** The pause: a copy of the board that stays as it is, and the number of events since. */

import { element, setData, setShown, setTexts } from "../../shared/dom.js";
import { gettext, ngettext } from "../../shared/gettext.js";
import { timeOfDay } from "../../shared/time.js";

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
    setTexts({ pause: this.isOn ? gettext("Resume") : gettext("Pause") });
    setData(element("board-view"), "paused", this.isOn ? "" : null);
    if (!this.isOn) return;
    const since = this.#events ? gettext("{calls} and {events} since.", {
      calls: ngettext("{count} new call", "{count} new calls", this.#calls), events: ngettext("{count} event", "{count} events", this.#events),
    }) : gettext("No new events.");
    setTexts({ "paused-text": `${gettext("Paused at {time}.", { time: timeOfDay(this.now) })} ${since}` });
  }
}
