/** The browser's storage. Where the browser blocks site data, values last until the page is closed. */

export class SiteData {
  #open;
  /** @type {Map<string, string>} */ #values = new Map(); // In place of a blocked or full storage.

  /** @param {() => Storage} open Such as `() => sessionStorage`, which throws or returns `null` if site data is blocked. */
  constructor(open) {
    this.#open = open;
  }

  /** @param {string} key @returns {string | null} */
  get(key) {
    try {
      return this.#values.get(key) ?? this.#open().getItem(key);
    } catch {
      return this.#values.get(key) ?? null;
    }
  }

  /** Store a value, and return whether it outlives the page. @param {string} key @param {string} value */
  set(key, value) {
    try {
      this.#open().setItem(key, value);
      this.#values.delete(key);
      return true;
    } catch {
      this.#values.set(key, value);
      return false;
    }
  }

  /** @param {string} key */
  remove(key) {
    this.#values.delete(key);
    try {
      this.#open().removeItem(key);
    } catch {
      // There is nothing to remove.
    }
  }
}

export const tabData = new SiteData(() => sessionStorage);
export const browserData = new SiteData(() => localStorage);
