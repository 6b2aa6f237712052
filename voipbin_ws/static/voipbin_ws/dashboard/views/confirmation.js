/** The dialog that asks before something that cannot be undone. */

import { element, setTexts } from "../../shared/dom.js";

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

  /** @param {{ question: string, name: string, text: string, label: string }} texts `question` is followed by the name. @param {() => void} act */
  ask({ question, name, text, label }, act) {
    this.#act = act;
    setTexts({ "confirm-question": question, "confirm-name": name, "confirm-text": text, "confirm-do": label });
    this.#dialog.showModal();
    element("confirm-cancel").focus();
  }

  close() {
    this.#dialog.close();
  }
}
