/** The numbers of calls and messages that are masked for the account, and that it has revealed. */

import { request } from "./auth.js";
import { isMasked } from "./masked.js";

/** @typedef {{ number: string | null, source: string | null, destination: string | null }} Revealed */

/** The revealed numbers by the id of the call or message, until the page is left. */
export class RevealedNumbers {
  /** @type {Map<string, Revealed>} */ #byId = new Map();
  #mayReveal = false;
  #resources;

  /** @param {"calls" | "messages"} resources Whose numbers they are. */
  constructor(resources) {
    this.#resources = resources;
  }

  /** @param {Me} me */
  load(me) {
    this.#mayReveal = me.may_reveal_numbers === true;
    this.#byId.clear();
  }

  /** @param {string} id */
  of(id) {
    return this.#byId.get(id);
  }

  /** Return whether a call or message has a number to reveal. @param {string} id @param {string[]} numbers As they are shown. */
  canReveal(id, ...numbers) {
    return this.#mayReveal && !this.#byId.has(id) && numbers.some(isMasked);
  }

  /** Have the gateway reveal and record it. @param {string} id @param {string} [customerId] @throws ApiError */
  async reveal(id, customerId = "") {
    const query = customerId && `?${new URLSearchParams({ customer_id: customerId })}`;
    const { content } = await request("POST", `/v1.0/${this.#resources}/${encodeURIComponent(id)}/reveal${query}`, {});
    this.#byId.set(id, content);
  }
}
