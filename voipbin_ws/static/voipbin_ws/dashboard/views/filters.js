/** Choosing which calls are shown, and in which order: search, states, queue, direction, the heads of the columns. */

import { element, field, setText } from "../../shared/dom.js";

const CHIPS = ["waiting", "connecting", "ringing", "dialing", "talking", "answered"];
const RARE = ["connecting", "dialing", "answered"]; // They take no room while there is nothing in them.

export class Filters {
  #viewOptions;
  #changed;
  #chips = new Map();
  #offered = "";

  /** `changed()` is called when the viewOptions is another. */
  constructor(viewOptions, changed) {
    this.#viewOptions = viewOptions;
    this.#changed = changed;
    for (const state of CHIPS) this.#makeChip(state);
    element("search").addEventListener("input", () => this.#choose({ words: field("search").value }));
    element("queue-filter").addEventListener("change", () => this.#choose({ queue: field("queue-filter").value }));
    element("direction-filter").addEventListener("change", () => this.#choose({ direction: field("direction-filter").value }));
    for (const button of this.#heads()) {
      button.addEventListener("click", () => {
        const { sort } = button.dataset;
        this.#choose({ sort, descending: viewOptions.sort === sort && !viewOptions.descending });
      });
    }
    element("empty-button").addEventListener("click", () => this.clear());
  }

  clear() {
    this.#viewOptions.clear();
    this.#changed();
  }

  #choose(chosen) {
    Object.assign(this.#viewOptions, chosen);
    this.#changed();
  }

  /** Show what is chosen. */
  show() {
    const { words, queue, direction, states, sort, descending } = this.#viewOptions;
    if (field("search").value !== words) field("search").value = words;
    field("queue-filter").value = queue;
    field("direction-filter").value = direction;
    for (const [state, { button }] of this.#chips) button.setAttribute("aria-pressed", String(states.has(state)));
    for (const button of this.#heads()) {
      const head = button.closest("th");
      if (button.dataset.sort === sort) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  }

  /** What there is to choose from: the queues, and how many calls are in each state. */
  offer(board, { states }) {
    for (const [state, { count, button }] of this.#chips) {
      setText(count, String(states[state]));
      button.hidden = states[state] === 0 && RARE.includes(state) && !this.#viewOptions.states.has(state);
    }
    const queues = [...board.queues.keys()].map((id) => [board.queueName(id), id]).sort(([one], [other]) => one.localeCompare(other));
    const offered = JSON.stringify(queues);
    if (offered === this.#offered) return;
    this.#offered = offered;
    element("queue-filter").replaceChildren(new Option("All queues", ""), ...queues.map(([name, id]) => new Option(name, id)));
    field("queue-filter").value = this.#viewOptions.queue;
  }

  /** @returns {NodeListOf<HTMLElement>} */
  #heads() {
    return document.querySelectorAll("[data-sort]");
  }

  #makeChip(state) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "chip";
    button.dataset.state = state;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `#shape-${state}`);
    svg.append(use);
    const count = document.createElement("span");
    count.className = "count";
    button.append(svg, `${state[0].toUpperCase()}${state.slice(1)} `, count);
    button.addEventListener("click", () => {
      if (!this.#viewOptions.states.delete(state)) this.#viewOptions.states.add(state);
      this.#changed();
    });
    this.#chips.set(state, { button, count });
    element("state-filter").append(button);
  }
}
