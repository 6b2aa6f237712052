/** The search in conversations: at once in those that the page has, and shortly after in all that are stored. */

import { read } from "../shared/auth.js";
import { field } from "../shared/dom.js";
import { numberSearch } from "../shared/phone-number.js";
import { displayText, folded } from "../shared/text.js";
import { parseTime } from "../shared/time.js";

const PAUSE_MS = 300;
const MAX_FOUND = "50";
const MAX_SEARCH = 100;

/** @typedef {{ key: string, number: string, name: string, text: string, at: number }} Found A conversation with the message that was found. */

export class ConversationSearch {
  /** @type {Map<string, Found>} */ found = new Map(); // By the thread's key: what the gateway found.
  #text = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #threads;
  #changed;

  /** @param {import("./threads.js").Threads} threads @param {() => void} changed */
  constructor(threads, changed) {
    this.#threads = threads;
    this.#changed = changed;
    field("thread-search").addEventListener("input", () => this.#typed());
  }

  get isActive() {
    return this.#text !== "";
  }

  clear() {
    field("thread-search").value = "";
    this.#typed();
  }

  /** Return whether a conversation that the page has is among the results. @param {Thread} thread */
  includes({ key, number, name, messages }) {
    const wanted = folded(this.#text);
    const isNumber = numberSearch(this.#text, this.#threads.dialing);
    if (this.found.has(key) || folded(name).includes(wanted)) return true;
    return Boolean(isNumber?.(number)) || messages.some(({ text }) => folded(text).includes(wanted));
  }

  #typed() {
    const text = field("thread-search").value.trim().slice(0, MAX_SEARCH);
    if (text === this.#text) return;
    this.#text = text;
    this.found.clear();
    clearTimeout(this.#timer);
    if (text) this.#timer = setTimeout(() => this.#read(text), PAUSE_MS);
    this.#changed();
  }

  /** @param {string} text */
  async #read(text) {
    try {
      const { content } = await read("/v1.0/conversations", { search: text, limit: MAX_FOUND });
      if (text !== this.#text) return;
      for (const { number, name, last } of content.items) {
        const key = this.#threads.keyOf(number, last.resource_id);
        const { data, since } = last;
        this.found.set(key, { key, number: number ?? "", name: displayText(name), text: displayText(data.text), at: parseTime(since) ?? 0 });
      }
      this.#changed();
    } catch (error) {
      console.warn(error); // The list has what the page knows.
    }
  }
}
