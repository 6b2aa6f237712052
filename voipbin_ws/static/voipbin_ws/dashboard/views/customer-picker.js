/** The select with which platform staff choose the customer whose calls are shown. */

import { readCustomers } from "../board-loader.js";
import { element, setShown } from "../../shared/dom.js";
import { gettext } from "../../shared/gettext.js";

export class CustomerPicker {
  #select = /** @type {HTMLSelectElement} */ (element("customer-choice"));
  #isFilled = false;

  /** @param {(id: string) => void} choose Called when another customer is chosen. */
  constructor(choose) {
    this.#select.addEventListener("change", () => choose(this.#select.value));
  }

  /** Show the choice to platform staff, and the customer's name to others. @param {Me} me */
  async show(me) {
    const isStaff = me.role === "staff";
    setShown({ "customer-choice": isStaff, customer: !isStaff });
    if (!isStaff) return;
    if (!this.#isFilled) this.#fill([me.customer]);
    this.#select.value = me.customer.id;
    try {
      this.#fill(await readCustomers());
      this.#isFilled = true;
      this.#select.value = me.customer.id;
    } catch (error) {
      console.warn(error); // The select keeps the shown customer.
    }
  }

  forget() {
    this.#isFilled = false;
    this.#select.replaceChildren();
    setShown({ "customer-choice": false, customer: true });
  }

  /** @param {{ id: string, name: string }[]} customers */
  #fill(customers) {
    this.#select.replaceChildren(...customers.map(({ id, name }) => new Option(name || gettext("Customer {id}", { id: id.slice(0, 8) }), id)));
  }
}
