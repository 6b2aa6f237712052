/** The numbers of calls that are masked for the account, and that it has revealed. */

import { request } from "./auth.js";
import { isMasked } from "./masked.js";

/** @typedef {{ number: string | null, source: string | null, destination: string | null }} Revealed */

/** The revealed numbers by call id, until the page is left. */
export class RevealedNumbers {
  /** @type {Map<string, Revealed>} */ #byCall = new Map();
  #mayReveal = false;

  /** @param {Me} me */
  load(me) {
    this.#mayReveal = me.may_reveal_numbers === true;
    this.#byCall.clear();
  }

  /** @param {string} callId */
  of(callId) {
    return this.#byCall.get(callId);
  }

  /** Return whether a call has a number to reveal. @param {string} callId @param {string[]} numbers As they are shown. */
  canReveal(callId, ...numbers) {
    return this.#mayReveal && !this.#byCall.has(callId) && numbers.some(isMasked);
  }

  /** Have the gateway reveal and record it. @param {string} callId @param {string} [customerId] @throws ApiError */
  async reveal(callId, customerId = "") {
    const query = customerId && `?${new URLSearchParams({ customer_id: customerId })}`;
    const { content } = await request("POST", `/v1.0/calls/${encodeURIComponent(callId)}/reveal${query}`, {});
    this.#byCall.set(callId, content);
  }
}
