/** The filters of the table: search, states, queue and direction; and sorting by the column heads. */

import { stateName } from "../../shared/call.js";
import { descendant, element, field, offerChoices, Part, setText } from "../../shared/dom.js";
import { gettext, shownNumber } from "../../shared/gettext.js";

const CHIPS = ["waiting", "connecting", "ringing", "dialing", "talking", "answered"];
const RARE = ["connecting", "dialing", "answered"]; // Hidden while there is no such call.

export class Filters {
  #viewOptions;
  #changed;
  /** @type {Map<string, { button: HTMLButtonElement, count: HTMLElement }>} */ #chips = new Map();
  /** @type {NodeListOf<HTMLElement>} */ #heads = document.querySelectorAll("[data-sort]");

  /** @param {ViewOptions} viewOptions @param {() => void} changed Called when the options have changed. */
  constructor(viewOptions, changed) {
    this.#viewOptions = viewOptions;
    this.#changed = changed;
    for (const state of CHIPS) this.#addChip(state);
    element("search").addEventListener("input", () => this.#choose({ words: field("search").value }));
    element("queue-filter").addEventListener("change", () => this.#choose({ queue: field("queue-filter").value }));
    element("direction-filter").addEventListener("change", () => this.#choose({ direction: field("direction-filter").value }));
    for (const head of this.#heads) {
      const { sort } = head.dataset;
      head.addEventListener("click", () => this.#choose({ sort, descending: viewOptions.sort === sort && !viewOptions.descending }));
    }
    element("empty-button").addEventListener("click", () => {
      viewOptions.clear();
      changed();
    });
  }

  /** @param {Partial<ViewOptions>} chosen */
  #choose(chosen) {
    Object.assign(this.#viewOptions, chosen);
    this.#changed();
  }

  /** Show the current options. */
  show() {
    const { words, direction, states, sort, descending } = this.#viewOptions;
    if (field("search").value !== words) field("search").value = words;
    field("direction-filter").value = direction;
    for (const [state, { button }] of this.#chips) button.setAttribute("aria-pressed", String(states.has(state)));
    for (const head of this.#heads) {
      const cell = head.closest("th");
      if (head.dataset.sort === sort) cell?.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else cell?.removeAttribute("aria-sort");
    }
  }

  /** Offer the board's queues, and show the number of calls in each state. @param {Board} board @param {Summary} summary */
  offer(board, { states }) {
    for (const [state, { count, button }] of this.#chips) {
      setText(count, shownNumber(states[state]));
      button.hidden = states[state] === 0 && RARE.includes(state) && !this.#viewOptions.states.has(state);
    }
    const { queue } = this.#viewOptions;
    offerChoices("queue-filter", gettext("All queues"), [...board.queues.keys()].map((id) => [board.queueName(id), id]), [board.queueName(queue), queue]);
  }

  /** @param {string} state */
  #addChip(state) {
    const part = new Part(element("state-chip"));
    const button = /** @type {HTMLButtonElement} */ (part.element);
    part.attributes({ "data-state": state });
    part.texts({ state: `${stateName(state)} ` });
    part.shape(0, `shape-${state}`);
    button.addEventListener("click", () => {
      if (!this.#viewOptions.states.delete(state)) this.#viewOptions.states.add(state);
      this.#changed();
    });
    this.#chips.set(state, { button, count: descendant(button, ".count") });
    element("state-filter").append(button);
  }
}
