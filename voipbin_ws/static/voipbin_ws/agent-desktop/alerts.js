/** Alerts of the agent desktop that are seen: the window's title, and toasts. */

import { descendant, element, Part } from "../shared/dom.js";

const TOAST_MS = 9000;
const MAX_TOASTS = 3;

/** The window's title. It alternates with an alert every second while there is one. */
export class Title {
  #usual;
  #showsAlert = false;
  /** @type {string | null} */ #alert = null;

  /** @param {string} usual */
  constructor(usual) {
    this.#usual = usual;
    setInterval(() => {
      this.#showsAlert = this.#alert !== null && !this.#showsAlert;
      this.#show();
    }, 1000);
  }

  /** @param {string} text */
  set usual(text) {
    this.#usual = text;
    this.#show();
  }

  /** @param {string | null} text `null` for no alert. */
  set alert(text) {
    // A new alert shows at once: the timers of a hidden tab may be a minute late.
    if (text === null || this.#alert === null) this.#showsAlert = text !== null;
    this.#alert = text;
    this.#show();
  }

  #show() {
    const text = (this.#showsAlert && this.#alert) || this.#usual;
    if (document.title !== text) document.title = text;
  }
}

/** Short messages that disappear after some seconds; the newest is the last. */
export class Toasts {
  #container;
  /** @type {WeakMap<Element, string>} */ #keys = new WeakMap();

  /** @param {HTMLElement} container */
  constructor(container) {
    this.#container = container;
  }

  /** Show a toast. @param {string} text @param {string} kind @param {string | null} key What the toast is about; see `settle`. */
  show(text, kind = "", key = null) {
    const part = new Part(element("toast"));
    const toast = part.element;
    part.texts({ text });
    if (kind) part.attributes({ "data-kind": kind });
    if (key !== null) this.#keys.set(toast, key);
    descendant(toast, "button").addEventListener("click", () => toast.remove());
    this.#container.append(toast);
    while (this.#container.childElementCount > MAX_TOASTS) this.#container.firstElementChild?.remove();
    setTimeout(() => toast.remove(), TOAST_MS);
  }

  /** Remove the toasts whose subject is settled. @param {(key: string) => boolean} isSettled */
  settle(isSettled) {
    for (const toast of [...this.#container.children]) {
      const key = this.#keys.get(toast);
      if (key !== undefined && isSettled(key)) toast.remove();
    }
  }

  clear() {
    this.#container.replaceChildren();
  }
}
