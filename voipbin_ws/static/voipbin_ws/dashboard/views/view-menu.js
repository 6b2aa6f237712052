/** The menu of saved views, and the dialog that names one. */

import { SavedViews } from "../saved-views.js";
import { element, field, setTexts } from "../../shared/dom.js";
import { gettext } from "../../shared/gettext.js";
import { browserData } from "../../shared/site-data.js";

const KEY = "voipbin.views";

export class ViewMenu {
  #options;
  #open;
  #dialog = /** @type {HTMLDialogElement} */ (element("view-dialog"));
  #menu;
  #links;

  /**
   * @param {ViewOptions} options @param {import("./action-menu.js").ActionMenu} menu @param {(query: string) => void} open Called with the query of the chosen view.
   * @param {import("./wallboard-links.js").WallboardLinks} links
   */
  constructor(options, menu, open, links) {
    this.#links = links;
    this.#options = options;
    this.#menu = menu;
    this.#open = open;
    element("views").addEventListener("click", () => this.#show());
    element("view-cancel").addEventListener("click", () => this.#dialog.close());
    element("view-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const views = this.#stored;
      const problem = views.save(field("view-name").value, this.#options.toString());
      setTexts({ "view-error": problem });
      if (problem) return;
      browserData.set(KEY, String(views));
      this.#dialog.close();
    });
  }

  /** The views, read anew: another tab may have changed them. */
  get #stored() {
    return new SavedViews(browserData.get(KEY));
  }

  #show() {
    const views = this.#stored;
    const present = views.nameOf(this.#options.toString());
    const items = views.names.map((name) => ({ label: name, act: () => this.#open(views.queryOf(name)), isChecked: name === present }));
    const save = { label: gettext("Save this view…"), act: () => this.#ask(present) };
    const remove = { label: gettext("Delete “{name}”", { name: present }), act: () => this.#remove(present), isDangerous: true };
    const links = { label: gettext("Wallboard links…"), act: () => this.#links.open() };
    this.#menu.open(element("views"), gettext("Saved views"), [...items, save, ...(present ? [remove] : []), ...(this.#links.isPermitted ? [links] : [])]);
  }

  /** @param {string} name */
  #ask(name) {
    field("view-name").value = name;
    setTexts({ "view-error": "" });
    this.#dialog.showModal();
    field("view-name").select();
  }

  /** @param {string} name */
  #remove(name) {
    const views = this.#stored;
    views.remove(name);
    browserData.set(KEY, String(views));
  }
}
