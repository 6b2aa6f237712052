/** Pieces of a page made from its templates. Whatever events say becomes text, and never markup. */

/** The page's element with this id. */
export const element = (id) => document.getElementById(id);

/** The page's field or button with this id. */
export const field = (id) => /** @type {HTMLInputElement} */ (element(id));

/** A copy of a template's element, with setters that touch the page only where something changes. */
export class Part {
  #cells = new Map();
  #uses = [];
  #shown = new Map();

  constructor(template) {
    this.element = template.content.firstElementChild.cloneNode(true);
    for (const cell of this.element.querySelectorAll("[data-cell]")) {
      const text = cell.ownerDocument.createTextNode("");
      cell.append(text);
      this.#cells.set(cell.dataset.cell, text);
    }
    this.#uses = [...this.element.querySelectorAll("use")];
  }

  #changes(key, value) {
    if (this.#shown.get(key) === value) return false;
    this.#shown.set(key, value);
    return true;
  }

  text(name, value) {
    if (this.#changes(name, value)) this.#cells.get(name).data = value;
  }

  /** The `index`th drawing of the part, by the id of its symbol. */
  shape(index, id) {
    if (this.#changes(index, id)) this.#uses[index].setAttribute("href", `#${id}`);
  }

  /** An attribute of the part; null for none. */
  attribute(name, value) {
    if (!this.#changes(`@${name}`, value)) return;
    if (value === null) this.element.removeAttribute(name);
    else this.element.setAttribute(name, value);
  }
}

/** Parts of a list by key, in order. */
export class PartList {
  #container;
  #template;
  parts = new Map();

  constructor(container, template) {
    this.#container = container;
    this.#template = template;
  }

  /** The element that stands first; undefined while there is none. */
  get first() {
    return this.#container.firstElementChild ?? undefined;
  }

  /** Have exactly these keys, in this order, moving as little as may be; `fill` is called for those that are new. */
  arrange(keys, fill) {
    const wanted = new Set(keys);
    for (const [key, part] of this.parts) {
      if (wanted.has(key)) continue;
      part.element.remove();
      this.parts.delete(key);
    }
    let next = this.#container.firstElementChild;
    for (const key of keys) {
      let part = this.parts.get(key);
      if (!part) {
        part = new Part(this.#template);
        this.parts.set(key, part);
        fill(part, key);
      }
      if (part.element === next) next = next.nextElementSibling;
      else this.#container.insertBefore(part.element, next);
    }
  }
}

/** Mark an element with data-<name>, or not; null for not. */
export function setData(element, name, value) {
  if (value === null) delete element.dataset[name];
  else if (element.dataset[name] !== value) element.dataset[name] = value;
}

/** Set an element's text where it differs. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
