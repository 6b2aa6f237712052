/** Pauses before another attempt, which spread the load of many clients. */

export const FIRST_PAUSE_MS = 1000;
export const MAX_PAUSE_MS = 30_000;
export const MAX_AWAY_PAUSE_MS = 5000; // While the gateway itself does not answer: asking costs it nothing.
const STABLE_MS = 5000; // After a connection that lasted this long the pauses start again from the shortest.
const MAX_SHORT_PAUSES = 2; // In a row, without a stable connection between them.

/** Pauses between attempts. Random, so that a thousand clients do not reconnect at the same time. */
export class Backoff {
  #random;
  #failures = 0;
  #shortPauses = 0;

  /** @param {() => number} random */
  constructor(random) {
    this.#random = random;
  }

  /** @param {number} milliseconds */
  connectionLasted(milliseconds) {
    if (milliseconds >= STABLE_MS) this.#failures = this.#shortPauses = 0;
  }

  /** Return 0 to 1 s; the upper limit doubles with each failure, up to `maxMs`. */
  pause(maxMs = MAX_PAUSE_MS) {
    return this.#random() * Math.min(maxMs, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures++, 16));
  }

  /** Return the pause after a close that asks the client to reconnect at once. @param {number} jitterMs */
  shortPause(jitterMs) {
    this.#shortPauses += 1;
    return this.#shortPauses <= MAX_SHORT_PAUSES ? this.#random() * jitterMs : this.pause();
  }

  /** Return the pause after the gateway rejected the connection as one too many: 15 to 30 s. */
  longPause() {
    this.#failures += 1;
    return (MAX_PAUSE_MS * (1 + this.#random())) / 2;
  }
}
