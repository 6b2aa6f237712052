/** The pages of a list that does not fit on the screen, shown one after the other. Sans-I/O. */

export const PAGE_MS = 12_000;

export class PageRotation {
  #page = 0;
  #shownAt = 0;
  #count = 1;
  isPaused = false;

  /** The number of the shown page, from 0. */
  get page() {
    return this.#page;
  }

  /** How many pages there are. */
  get count() {
    return this.#count;
  }

  /**
   * Return the entries of the page that is shown at `now`, each page with at most `fit` of them and all about as long.
   * @template T @param {T[]} entries @param {number} fit @param {number} now In milliseconds. @returns {T[]}
   */
  show(entries, fit, now) {
    this.#count = Math.max(1, Math.ceil(entries.length / Math.max(1, fit)));
    if (this.isPaused || this.#count === 1) this.#shownAt = now;
    else if (now - this.#shownAt >= PAGE_MS) this.turn(1, now);
    this.#page = Math.min(this.#page, this.#count - 1);
    const length = Math.ceil(entries.length / this.#count);
    return entries.slice(this.#page * length, (this.#page + 1) * length);
  }

  /** Go forwards or back; the page is then shown for the whole time. @param {number} by 1 or -1. @param {number} now */
  turn(by, now) {
    this.#page = (this.#page + by + this.#count) % this.#count;
    this.#shownAt = now;
  }
}
