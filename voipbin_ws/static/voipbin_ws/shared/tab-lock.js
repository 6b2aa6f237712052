/** A lock that one of a page's tabs holds; it passes on when that tab gives it back or closes. */

export class TabLock {
  #name;
  #changed;
  #isHeld = false;
  #isWanted = false;
  #isSupported = Boolean(navigator.locks); // Only over HTTPS and on the local computer.
  #release = () => {};

  /** @param {string} name @param {() => void} changed Called when this tab has received the lock. */
  constructor(name, changed) {
    this.#name = name;
    this.#changed = changed;
  }

  /** Whether this tab holds the lock. Where browsers have no locks, each tab that wants it does. */
  get isHeld() {
    return this.#isWanted && (this.#isHeld || !this.#isSupported);
  }

  /** Request the lock, or give it back. @param {boolean} isWanted */
  want(isWanted) {
    if (this.#isWanted === isWanted) return;
    this.#isWanted = isWanted;
    if (!isWanted) this.#release();
    else if (this.#isSupported) this.#request();
  }

  #request() {
    const abort = new AbortController();
    this.#release = () => abort.abort();
    const hold = () => {
      this.#isHeld = true;
      this.#changed();
      return /** @type {Promise<void>} */ (
        new Promise((resolve) => {
          this.#release = () => {
            this.#isHeld = false;
            resolve();
          };
        })
      );
    };
    navigator.locks.request(this.#name, { signal: abort.signal }, hold).catch(({ name }) => {
      if (name === "AbortError") return;
      this.#isSupported = false; // The browser blocks site data.
      this.#changed();
    });
  }
}
