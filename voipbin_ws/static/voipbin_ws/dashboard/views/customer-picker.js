/** Platform staff's choice of the customer whose calls they look at. */

import { readCustomers } from "../board-loader.js";
import { element } from "../../shared/dom.js";

export class CustomerPicker {
  #offered = false;

  /** `choose(id)` is called when another one is chosen. */
  constructor(choose) {
    const select = /** @type {HTMLSelectElement} */ (element("customer-choice"));
    select.addEventListener("change", () => choose(select.value));
  }

  /** Offer what whoever `me` of /v1.0/me describes may choose from. */
  async show(me) {
    const select = /** @type {HTMLSelectElement} */ (element("customer-choice"));
    const isStaff = me.role === "staff";
    select.hidden = !isStaff;
    element("customer").hidden = isStaff;
    if (!isStaff) return;
    if (!this.#offered) this.#fill([me.customer]);
    select.value = me.customer.id;
    try {
      this.#fill(await readCustomers(me));
      this.#offered = true;
      select.value = me.customer.id;
    } catch (error) {
      console.warn(error); // The one that is shown stays.
    }
  }

  forget() {
    this.#offered = false;
    element("customer-choice").replaceChildren();
    element("customer-choice").hidden = true;
    element("customer").hidden = false;
  }

  #fill(customers) {
    element("customer-choice").replaceChildren(...customers.map(({ id, name }) => new Option(name || `Customer ${id.slice(0, 8)}`, id)));
  }
}
