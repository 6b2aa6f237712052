/** Unsent texts by number, kept for the tab so that they survive a reload. */

import { tabData } from "../shared/site-data.js";
export class Drafts {
  #key = "";
  /** @type {Record<string, unknown>} */ #texts = {};

  /** @param {string} agentId */
  open(agentId) {
    this.#key = `voipbin.drafts.${agentId}`;
    this.#texts = Object.create(null);
    try {
      Object.assign(this.#texts, JSON.parse(tabData.get(this.#key) ?? "{}"));
    } catch {
      // Another script wrote something else there.
    }
  }

  /** @param {string} number */
  of(number) {
    const text = this.#texts[number];
    return typeof text === "string" ? text : "";
  }

  /** Keep a draft; "" removes it. @param {string} number @param {string} text */
  keep(number, text) {
    if (text) this.#texts[number] = text;
    else delete this.#texts[number];
    tabData.set(this.#key, JSON.stringify(this.#texts));
  }

  drop() {
    if (this.#key) tabData.remove(this.#key);
    this.#texts = Object.create(null);
  }
}
