/** Unsent texts by number, kept in sessionStorage so that they survive a reload. */
export class Drafts {
  #key = "";
  /** @type {Record<string, unknown>} */ #texts = {};

  /** @param {string} agentId */
  open(agentId) {
    this.#key = `voipbin.drafts.${agentId}`;
    this.#texts = Object.create(null);
    try {
      Object.assign(this.#texts, JSON.parse(sessionStorage.getItem(this.#key) ?? "{}"));
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
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(this.#texts));
    } catch {
      // The storage is full or not allowed: the draft lasts until the page is closed.
    }
  }

  drop() {
    if (this.#key) sessionStorage.removeItem(this.#key);
    this.#texts = Object.create(null);
  }
}
