/** What was typed and not sent, by number, in this tab. */
export class Drafts {
  #key = "";
  #texts = {};

  open(agentId) {
    this.#key = `voipbin.drafts.${agentId}`;
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.#key) ?? "{}");
      this.#texts = Object.assign(Object.create(null), kept);
    } catch {
      this.#texts = Object.create(null);
    }
  }

  of(number) {
    const text = this.#texts[number];
    return typeof text === "string" ? text : "";
  }

  keep(number, text) {
    if (text) this.#texts[number] = text;
    else delete this.#texts[number];
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(this.#texts));
    } catch {
      // Full, or not allowed: it holds as long as the page does.
    }
  }

  drop() {
    if (this.#key) sessionStorage.removeItem(this.#key);
    this.#texts = Object.create(null);
  }
}
