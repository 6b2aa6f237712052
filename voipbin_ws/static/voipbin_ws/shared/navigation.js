/** The menu of pages by role, and the command palette (Ctrl+K), which all pages share. */

import { searched } from "./command-search.js";
import { element, field } from "./dom.js";
import { gettext } from "./gettext.js";
import { enableLanguageChoice } from "./language.js";
import { tabData } from "./site-data.js";

/** @typedef {import("./command-search.js").Command} Command */

const ROLES_KEY = "voipbin.roles";

/** Show the pages of a person in the menu, also on pages that have no session of their own. @param {Me} me */
export function showPagesOf(me) {
  const serves = me.agent && me.queues.some(({ agent_ids: ids }) => ids?.includes(me.agent?.id ?? ""));
  tabData.set(ROLES_KEY, [me.role ?? "key", ...(serves ? ["agent"] : [])].join(" "));
  showPages();
}

/** Forget who is signed in. */
export function forgetPages() {
  tabData.remove(ROLES_KEY);
  showPages();
}

function showPages() {
  const roles = (element("pages").dataset.of ?? tabData.get(ROLES_KEY))?.split(" ");
  for (const link of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#pages a[data-roles]"))) {
    // Before the sign-in all are shown: each page asks for the sign-in itself.
    link.hidden = roles !== undefined && !link.dataset.roles?.split(" ").some((role) => roles.includes(role));
  }
}

/** Return the pages of the menu, and the buttons of the page that are offered as commands. @returns {Command[]} */
function commandsOfPage() {
  const links = [.../** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("#pages a:not([hidden], [aria-current])"))];
  const buttons = [.../** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-command]:not(:disabled)"))];
  return [
    ...links.map((link) => ({ title: link.textContent.trim(), kind: gettext("Page"), run: () => link.click() })),
    ...buttons
      .filter((button) => button.checkVisibility())
      .map((button) => ({ title: button.dataset.command || button.textContent.trim(), kind: gettext("Command"), run: () => button.click() })),
  ];
}

/**
 * Enable the menu and the palette. `sources` return further commands each time that the palette opens.
 * @param {{ isShown?: () => boolean, sources?: (() => Command[])[] }} options `isShown` returns whether someone is signed in.
 */
export function enableNavigation({ isShown = () => true, sources = [] } = {}) {
  const palette = new CommandPalette(() => [...commandsOfPage(), ...sources.flatMap((source) => source())]);
  showPages();
  enableLanguageChoice();
  element("palette-button").addEventListener("click", () => {
    element("pages").hidePopover();
    palette.open();
  });
  addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    if (!isShown() || document.querySelector("dialog:modal")) return;
    event.preventDefault();
    palette.open();
  });
}

/** A dialog that finds commands while one types: a combobox with a list (ARIA Authoring Practices). */
class CommandPalette {
  #dialog = /** @type {HTMLDialogElement} */ (element("palette"));
  #read;
  /** @type {Command[]} */ #commands = [];
  /** @type {Command[]} */ #found = [];
  #selected = 0;

  /** @param {() => Command[]} read */
  constructor(read) {
    this.#read = read;
    field("palette-text").addEventListener("input", () => this.#search());
    this.#dialog.addEventListener("keydown", (event) => this.#pressed(event));
    // The texts of the commands are not left in the page.
    this.#dialog.addEventListener("close", () => element("palette-list").replaceChildren());
    this.#dialog.addEventListener("click", ({ target }) => {
      if (target === this.#dialog) this.#dialog.close();
      const place = [...element("palette-list").children].findIndex((row) => row.contains(/** @type {Node} */ (target)));
      if (place >= 0) this.#run(place);
    });
  }

  open() {
    this.#commands = this.#read();
    field("palette-text").value = "";
    this.#dialog.showModal();
    field("palette-text").focus();
    this.#search();
  }

  #search() {
    this.#found = searched(this.#commands, field("palette-text").value);
    const rows = this.#found.map(({ title, kind }, place) => {
      const row = document.createElement("li");
      row.id = `command-${place}`;
      row.setAttribute("role", "option");
      const name = document.createElement("bdi");
      name.textContent = title;
      const of = Object.assign(document.createElement("span"), { className: "kind", textContent: kind });
      row.append(name, of);
      return row;
    });
    element("palette-list").replaceChildren(...rows);
    element("palette-none").textContent = rows.length ? "" : gettext("Nothing has this name.");
    this.#select(0);
  }

  /** @param {number} place */
  #select(place) {
    const rows = [...element("palette-list").children];
    this.#selected = rows.length ? (place + rows.length) % rows.length : 0;
    for (const [each, row] of rows.entries()) row.setAttribute("aria-selected", String(each === this.#selected));
    const row = rows[this.#selected];
    if (row) field("palette-text").setAttribute("aria-activedescendant", row.id);
    else field("palette-text").removeAttribute("aria-activedescendant");
    row?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    event.stopPropagation(); // The page's own keys wait.
    if (event.isComposing) return;
    const moves = new Map([["ArrowDown", this.#selected + 1], ["ArrowUp", this.#selected - 1], ["PageDown", -1], ["PageUp", 0]]);
    const place = moves.get(event.key);
    if (place !== undefined) this.#select(place);
    else if (event.key === "Enter") this.#run(this.#selected);
    else if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
  }

  /** @param {number} place */
  #run(place) {
    const command = this.#found[place];
    if (!command) return;
    this.#dialog.close();
    command.run();
  }
}
