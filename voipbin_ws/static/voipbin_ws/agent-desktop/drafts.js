/** Unsent texts by number or call, kept for the tab so that they survive a reload. */

import { tabData } from "../shared/site-data.js";

export class Drafts {
  #kind;
  #key = "";
  /** @type {Record<string, unknown>} */ #texts = {};

  /** @param {string} kind What they are drafts of. */
  constructor(kind) {
    this.#kind = kind;
  }

  /** @param {string} agentId */
  open(agentId) {
    this.#key = `voipbin.${this.#kind}.${agentId}`;
    this.#texts = Object.create(null);
    try {
      Object.assign(this.#texts, JSON.parse(tabData.get(this.#key) ?? "{}"));
    } catch {
      // Another script wrote something else there.
    }
  }

  /** @param {string} key */
  of(key) {
    const text = this.#texts[key];
    return typeof text === "string" ? text : "";
  }

  /** The keys of all drafts. */
  get keys() {
    return Object.keys(this.#texts);
  }

  /** Move a draft, unless there is one at its new place. @param {string} from @param {string} to */
  move(from, to) {
    if (!this.of(to)) this.keep(to, this.of(from));
    this.keep(from, "");
  }

  /** Keep a draft; "" removes it. @param {string} key @param {string} text */
  keep(key, text) {
    if (text) this.#texts[key] = text;
    else delete this.#texts[key];
    tabData.set(this.#key, JSON.stringify(this.#texts));
  }

  drop() {
    if (this.#key) tabData.remove(this.#key);
    this.#texts = Object.create(null);
  }
}
