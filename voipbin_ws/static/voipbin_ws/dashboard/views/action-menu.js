/** A menu beside the button that opened it. */

import { element } from "../../shared/dom.js";

const GAP = 4;

/** @typedef {{ label: string, act: () => void, isDangerous?: boolean, isDisabled?: boolean, isChecked?: boolean }} MenuItem */

/** @param {string} text */
function noteOf(text) {
  const note = document.createElement("p");
  note.className = "note muted";
  note.setAttribute("role", "menuitem");
  note.setAttribute("aria-disabled", "true");
  note.textContent = text;
  return note;
}

export class ActionMenu {
  #menu = element("action-menu");
  /** @type {HTMLElement | null} */ #anchor = null;

  constructor() {
    this.#menu.addEventListener("keydown", (event) => this.#onKey(event));
    this.#menu.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "closed") this.#anchor?.setAttribute("aria-expanded", "false");
    });
    addEventListener("scroll", () => this.close(), { capture: true, passive: true });
    addEventListener("resize", () => this.close());
  }

  close() {
    if (this.#menu.matches(":popover-open")) this.#menu.hidePopover();
  }

  /** @param {HTMLElement} anchor The button. @param {string} label Whose menu it is. @param {MenuItem[]} items @param {string} [note] Why items are disabled. */
  open(anchor, label, items, note = "") {
    this.close();
    this.#anchor = anchor;
    anchor.setAttribute("aria-expanded", "true");
    this.#menu.setAttribute("aria-label", label);
    this.#menu.replaceChildren(...items.map((item) => this.#button(item)), ...(note ? [noteOf(note)] : []));
    this.#menu.showPopover();
    this.#place(anchor.getBoundingClientRect());
    this.#buttons[0]?.focus({ preventScroll: true });
  }

  get #buttons() {
    return /** @type {HTMLButtonElement[]} */ ([...this.#menu.querySelectorAll("button:not(:disabled)")]);
  }

  /** @param {MenuItem} item */
  #button({ label, act, isDangerous = false, isDisabled = false, isChecked }) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("role", isChecked === undefined ? "menuitem" : "menuitemradio");
    if (isChecked !== undefined) button.setAttribute("aria-checked", String(isChecked));
    button.tabIndex = -1;
    button.textContent = label;
    button.disabled = isDisabled;
    button.classList.toggle("dangerous", isDangerous);
    button.addEventListener("click", () => {
      // The focus returns to the button before a dialog opens, which returns it there again.
      this.close();
      this.#anchor?.focus({ preventScroll: true });
      act();
    });
    return button;
  }

  /** Put the menu below the anchor, or above it if there is no room. @param {DOMRect} anchor */
  #place({ top, right, bottom }) {
    const { offsetWidth, offsetHeight, style } = this.#menu;
    const below = bottom + GAP + offsetHeight <= innerHeight;
    style.left = `${Math.max(GAP, Math.min(right, innerWidth - GAP) - offsetWidth)}px`;
    style.top = `${Math.max(GAP, below ? bottom + GAP : top - GAP - offsetHeight)}px`;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const buttons = this.#buttons;
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    /** @type {Record<string, number>} */
    const next = { ArrowDown: at + 1, ArrowUp: at - 1 + buttons.length, Home: 0, End: buttons.length - 1 };
    if (event.key === "Tab") this.close();
    else if (event.key in next) {
      event.preventDefault();
      buttons[next[event.key] % buttons.length]?.focus({ preventScroll: true });
    }
  }
}
