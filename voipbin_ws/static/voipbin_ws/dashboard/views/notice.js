/** The line about the last action: why it was refused, or that it was done without an event. */

import { element, setShown, setTexts } from "../../shared/dom.js";

export class Notice {
  constructor() {
    element("notice-close").addEventListener("click", () => this.clear());
  }

  /** @param {string} name Whom the action concerned. @param {string} text */
  show(name, text) {
    setShown({ notice: true });
    setTexts({ "notice-name": name, "notice-text": text });
  }

  clear() {
    setShown({ notice: false });
    setTexts({ "notice-name": "", "notice-text": "" });
  }
}
