/** The dialog that asks before something that cannot be undone. */

import { element, setTexts, setTextWithName } from "../../shared/dom.js";

export class Confirmation {
  #dialog = /** @type {HTMLDialogElement} */ (element("confirm-dialog"));
  #act = () => {};

  constructor() {
    element("confirm-cancel").addEventListener("click", () => this.#dialog.close());
    element("confirm-do").addEventListener("click", () => {
      this.#dialog.close();
      this.#act();
    });
  }

  /** @param {{ question: string, name: string, text: string, label: string }} texts `question` has the place `{name}`. @param {() => void} act */
  ask({ question, name, text, label }, act) {
    this.#act = act;
    setTextWithName("confirm-title", question, name);
    setTexts({ "confirm-text": text, "confirm-do": label });
    this.#dialog.showModal();
    element("confirm-cancel").focus();
  }

  close() {
    this.#dialog.close();
  }
}
