/** Helpers for the page: elements by id, and copies of templates. Texts of events become text nodes, never markup. */

/** Return the page's element with this id. @param {string} id */
export const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** Return the page's field or button with this id. @param {string} id */
export const field = (id) => /** @type {HTMLInputElement} */ (element(id));

/** Return the first descendant that matches. @param {Element} parent @param {string} selector */
export const descendant = (parent, selector) => /** @type {HTMLInputElement} */ (parent.querySelector(selector));

/** What each list offers, by its id. @type {Map<string, string>} */
const offered = new Map();

/**
 * Offer choices by name in a list, below one for all of them. What is chosen is offered even if it is no longer a choice.
 * @param {string} id @param {string} all @param {[name: string, value: string][]} choices @param {[name: string, value: string]} chosen Its value is "" for all.
 */
export function offerChoices(id, all, choices, chosen) {
  const isMissing = chosen[1] !== "" && !choices.some(([, value]) => value === chosen[1]);
  const list = (isMissing ? [...choices, chosen] : choices).toSorted(([one], [other]) => one.localeCompare(other));
  const text = JSON.stringify(list);
  if (offered.get(id) !== text) element(id).replaceChildren(new Option(all, ""), ...list.map(([name, value]) => new Option(name, value)));
  offered.set(id, text);
  if (field(id).value !== chosen[1]) field(id).value = chosen[1];
}

/** A copy of a template's element. Its setters change the page only if a value has changed. */
export class Part {
  /** @type {Map<string | undefined, Text>} */ #cells = new Map();
  /** @type {Map<string | number, string | null>} */ #values = new Map();
  #uses;

  /** @param {HTMLElement} template */
  constructor(template) {
    const { content } = /** @type {HTMLTemplateElement} */ (template);
    this.element = /** @type {HTMLElement} */ (content.firstElementChild?.cloneNode(true));
    for (const cell of /** @type {NodeListOf<HTMLElement>} */ (this.element.querySelectorAll("[data-cell]"))) {
      const text = document.createTextNode("");
      cell.append(text);
      this.#cells.set(cell.dataset.cell, text);
    }
    this.#uses = this.element.querySelectorAll("use");
  }

  /** @param {string | number} key @param {string | null} value */
  #changes(key, value) {
    if (this.#values.get(key) === value) return false;
    this.#values.set(key, value);
    return true;
  }

  /** Set the texts of cells. @param {Record<string, string>} texts */
  texts(texts) {
    for (const [name, value] of Object.entries(texts)) if (this.#changes(name, value)) /** @type {Text} */ (this.#cells.get(name)).data = value;
  }

  /** Set the symbol that one of the part's drawings shows. @param {number} index @param {string} id */
  shape(index, id) {
    if (this.#changes(index, id)) this.#uses[index].setAttribute("href", `#${id}`);
  }

  /** Set attributes of the part; `null` removes one. @param {Record<string, string | null>} attributes */
  attributes(attributes) {
    for (const [name, value] of Object.entries(attributes)) {
      if (!this.#changes(`@${name}`, value)) continue;
      if (value === null) this.element.removeAttribute(name);
      else this.element.setAttribute(name, value);
    }
  }
}

/** A list of parts with keys, in an order. */
export class PartList {
  #container;
  #template;
  /** @type {Map<string, Part>} */ parts = new Map();

  /** @param {HTMLElement} container @param {HTMLElement} template */
  constructor(container, template) {
    this.#container = container;
    this.#template = template;
  }

  /** The first element; `undefined` if the list is empty. */
  get first() {
    return /** @type {HTMLElement | undefined} */ (this.#container.firstElementChild ?? undefined);
  }

  /**
   * Show exactly these keys in this order, with as few moves as possible. `fill` is called for each new part.
   * @param {string[]} keys @param {(part: Part, key: string) => void} fill
   */
  arrange(keys, fill = () => {}) {
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

  /** Return the part with this key, which was arranged before. @param {string} key */
  part(key) {
    return /** @type {Part} */ (this.parts.get(key));
  }
}

/** Set `data-<name>` of an element; `null` removes it. @param {HTMLElement} target @param {string} name @param {string | null} value */
export function setData(target, name, value) {
  if (value === null) delete target.dataset[name];
  else if (target.dataset[name] !== value) target.dataset[name] = value;
}

/** Set an element's text if it differs. @param {Element} target @param {string} text */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Set an element's text, whose place `{name}` becomes a name of its own direction. @param {string} id @param {string} text @param {string} name */
export function setTextWithName(id, text, name) {
  const [before, after] = text.split("{name}");
  const part = document.createElement("bdi");
  part.textContent = name;
  element(id).replaceChildren(before, part, after);
}

/** Set the texts of the page's elements. @param {Record<string, string>} texts By id. */
export function setTexts(texts) {
  for (const [id, text] of Object.entries(texts)) setText(element(id), text);
}

/** Show or hide the page's elements. @param {Record<string, boolean>} shown By id. */
export function setShown(shown) {
  for (const [id, isShown] of Object.entries(shown)) element(id).hidden = !isShown;
}
