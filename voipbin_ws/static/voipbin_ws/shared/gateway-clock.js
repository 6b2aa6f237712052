/**
 * The gateway's clock, computed with `performance.now()`, which no change of the computer's clock moves.
 *
 * Sans-I/O, except for both of the browser's clocks.
 */

const JUMP_MS = 1000;
const VALID_MS = 3_600_000; // Over hours, two clocks drift apart.

export class GatewayClock {
  #difference = Date.now() - performance.now(); // The gateway's clock minus `performance.now()`, in milliseconds.
  #browsers = this.#difference; // The browser's clock minus `performance.now()`, at the last reading.
  #readAt = -Infinity;

  /** The gateway's time in milliseconds since the epoch. */
  get now() {
    return this.at(performance.now());
  }

  /** Return the gateway's time at a time of `performance.now()`. @param {number} monotonic */
  at(monotonic) {
    return monotonic + this.#difference;
  }

  /** Take over the clock of an answer. @param {import("./auth.js").ClockReading | null} reading `null` if the answer has none. */
  set(reading) {
    this.#browsers = Date.now() - performance.now();
    this.#readAt = performance.now();
    const { at, uncertainty, receivedAt } = reading ?? { at: Date.now(), uncertainty: 0, receivedAt: this.#readAt };
    const difference = at - receivedAt;
    // A browser's clock that may be right is used as it is: it does not jitter with the network.
    this.#difference = Math.abs(difference - this.#browsers) > uncertainty ? difference : this.#browsers;
  }

  /** Whether the clock has to be read again: after an hour, a sleep of the computer, or a change of its clock. */
  get isDue() {
    const moved = Math.abs(Date.now() - performance.now() - this.#browsers);
    return moved > JUMP_MS || performance.now() - this.#readAt > VALID_MS;
  }
}

/** A clock that shows a past time, and runs faster or slower than time. */
export class PlaybackClock {
  #at = 0; // The shown time at `#since`, in milliseconds since the epoch.
  #since = 0; // Of `performance.now()`.
  rate = 0; // How many seconds pass in one; 0 while it stands.

  /** The shown time in milliseconds since the epoch. */
  get now() {
    return this.#at + (performance.now() - this.#since) * this.rate;
  }

  /** Show a time. @param {number} at */
  set(at) {
    this.#at = at;
    this.#since = performance.now();
  }

  /** Run at a rate from now on. @param {number} rate */
  run(rate) {
    this.set(this.now);
    this.rate = rate;
  }
}
