/** Views of the dashboard by name: URL queries that a person keeps in the browser. Sans-I/O. */

import { gettext } from "../shared/gettext.js";

const MOST_VIEWS = 30;
const MAX_NAME = 60;
const UNSAVED = ["call", "customer", "at"]; // What belongs to the moment, not to a view.

/** Return a URL query without what no view keeps. @param {string} query */
export function savedQuery(query) {
  const parameters = new URLSearchParams(query);
  for (const name of UNSAVED) parameters.delete(name);
  return parameters.toString();
}

export class SavedViews {
  /** The views' queries by name. @type {Map<string, string>} */ #views = new Map();

  /** Take over stored views; none if they cannot be read. @param {string | null} text */
  constructor(text) {
    try {
      const stored = JSON.parse(text ?? "[]");
      for (const [name, query] of stored) if (typeof query === "string") this.save(String(name), query);
    } catch {
      this.#views.clear();
    }
  }

  /** Return the names in their order. */
  get names() {
    return [...this.#views.keys()].sort((one, other) => one.localeCompare(other));
  }

  /** @param {string} name */
  queryOf(name) {
    return this.#views.get(name) ?? "";
  }

  /** Return the name of the view with this query, or "". @param {string} query */
  nameOf(query) {
    const wanted = savedQuery(query);
    return this.names.find((name) => this.#views.get(name) === wanted) ?? "";
  }

  /** Save a view, in place of one with the same name; return why it is not saved, or "". @param {string} name @param {string} query */
  save(name, query) {
    const plain = name.trim().slice(0, MAX_NAME);
    if (!plain) return gettext("Enter a name.");
    if (!this.#views.has(plain) && this.#views.size >= MOST_VIEWS) return gettext("There are {count} views already. Delete one first.", { count: MOST_VIEWS });
    this.#views.set(plain, savedQuery(query));
    return "";
  }

  /** @param {string} name */
  remove(name) {
    this.#views.delete(name);
  }

  toString() {
    return JSON.stringify([...this.#views]);
  }
}
