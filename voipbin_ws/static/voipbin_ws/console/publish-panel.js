/** Publishing an example of any event type, and the explanation of its delivery. */

import { element, field, setShown, setTexts } from "../shared/dom.js";
import { gettext } from "../shared/gettext.js";

export class PublishPanel {
  #credential;
  /** @type {Map<string, any>} */ #examples = new Map();
  /** @type {string | null} */ #published = null;

  /** @param {() => string | null} credential The console's credential. */
  constructor(credential) {
    this.#credential = credential;
    element("event-type").addEventListener("change", () => this.#showExample());
    element("publish-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#publish();
    });
    element("explain").addEventListener("click", () => this.#explain());
  }

  async load() {
    const { event_types } = await (await fetch("/v1.0/event-types")).json();
    for (const { event_type, example } of event_types) {
      this.#examples.set(event_type, example);
      element("event-type").append(new Option(event_type));
    }
    this.#showExample();
  }

  #showExample() {
    const event_type = field("event-type").value;
    const data = { ...this.#examples.get(event_type) };
    delete data.customer_id; // The credential's own.
    field("event-body").value = JSON.stringify({ event_type, data }, null, 2);
  }

  async #publish() {
    setShown({ explain: false });
    const answer = await this.#request("POST", "/v1.0/events", field("event-body").value, field("publish-key").value || this.#credential());
    this.#published = answer?.id ?? null;
    setShown({ explain: this.#published !== null });
  }

  async #explain() {
    await this.#request("GET", `/v1.0/explain?event=${this.#published}`, undefined, this.#credential());
  }

  /** @param {string} method @param {string} path @param {string | undefined} body @param {string | null} credential @returns {Promise<any>} */
  async #request(method, path, body, credential) {
    setShown({ "publish-answer": true });
    setTexts({ "publish-answer": "…" });
    try {
      const headers = { Authorization: `Bearer ${credential}`, "Content-Type": "application/json" };
      const response = await fetch(path, { method, body, headers, cache: "no-store" });
      const content = await response.json();
      setTexts({ "publish-answer": `${response.status}\n${JSON.stringify(content, null, 2)}` });
      return response.ok ? content : null;
    } catch {
      setTexts({ "publish-answer": gettext("The gateway does not answer.") });
      return null;
    }
  }
}
