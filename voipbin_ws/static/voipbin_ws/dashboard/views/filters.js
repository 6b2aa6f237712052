/** Choosing which calls are shown, and in which order: search, states, queue, direction, the heads of the columns. */

import { say } from "../../shared/dom.js";

const CHIPS = ["waiting", "connecting", "ringing", "dialing", "talking", "answered"];
const RARE = ["connecting", "dialing", "answered"]; // They take no room while there is nothing in them.

const element = (id) => document.getElementById(id);

export class Filters {
  #view;
  #changed;
  #chips = new Map();
  #offered = "";

  /** `changed()` is called when the view is another. */
  constructor(view, changed) {
    this.#view = view;
    this.#changed = changed;
    for (const state of CHIPS) this.#makeChip(state);
    element("search").addEventListener("input", ({ target }) => this.#choose({ words: target.value }));
    element("queue-filter").addEventListener("change", ({ target }) => this.#choose({ queue: target.value }));
    element("direction-filter").addEventListener("change", ({ target }) => this.#choose({ direction: target.value }));
    for (const button of document.querySelectorAll("[data-sort]")) {
      button.addEventListener("click", () => {
        const { sort } = button.dataset;
        this.#choose({ sort, descending: view.sort === sort && !view.descending });
      });
    }
    element("empty-button").addEventListener("click", () => this.clear());
  }

  clear() {
    this.#view.clear();
    this.#changed();
  }

  #choose(chosen) {
    Object.assign(this.#view, chosen);
    this.#changed();
  }

  /** Show what is chosen. */
  show() {
    const { words, queue, direction, states, sort, descending } = this.#view;
    if (element("search").value !== words) element("search").value = words;
    element("queue-filter").value = queue;
    element("direction-filter").value = direction;
    for (const [state, { button }] of this.#chips) button.setAttribute("aria-pressed", String(states.has(state)));
    for (const button of document.querySelectorAll("[data-sort]")) {
      const head = button.closest("th");
      if (button.dataset.sort === sort) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  }

  /** What there is to choose from: the queues, and how many calls are in each state. */
  offer(board, { states }) {
    for (const [state, { count, button }] of this.#chips) {
      say(count, String(states[state]));
      button.hidden = states[state] === 0 && RARE.includes(state) && !this.#view.states.has(state);
    }
    const queues = [...board.queues.keys()].map((id) => [board.queueName(id), id]).sort(([one], [other]) => one.localeCompare(other));
    const offered = JSON.stringify(queues);
    if (offered === this.#offered) return;
    this.#offered = offered;
    element("queue-filter").replaceChildren(new Option("All queues", ""), ...queues.map(([name, id]) => new Option(name, id)));
    element("queue-filter").value = this.#view.queue;
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
      if (!this.#view.states.delete(state)) this.#view.states.add(state);
      this.#changed();
    });
    this.#chips.set(state, { button, count });
    element("state-filter").append(button);
  }
}
