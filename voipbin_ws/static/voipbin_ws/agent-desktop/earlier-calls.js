/** The earlier calls of a caller, on the card of the present one. */

import { read } from "../shared/auth.js";
import { DIRECTIONS } from "../shared/call.js";
import { descendant, element, Part } from "../shared/dom.js";
import { gettext } from "../shared/gettext.js";
import { displayText } from "../shared/text.js";
import { duration, parseTime, timeOfDay, shownDay } from "../shared/time.js";

/** @typedef {{ call_id: string, at: string, direction: string | null, is_missed: boolean, duration_seconds: number | null, queue_name: string | null, agent_name: string | null, disposition: string | null, note: string | null }} EarlierCall */

const MAX_SHOWN = 5;

export class EarlierCalls {
  /** @type {Map<string, EarlierCall[] | null>} */ #byCall = new Map(); // `null` while it is being read.
  /** @type {WeakMap<Element, EarlierCall[]>} */ #shown = new WeakMap();
  #labelOf;
  #changed;

  /** @param {(code: string) => string} labelOf Returns the label of a disposition. @param {() => void} changed */
  constructor(labelOf, changed) {
    this.#labelOf = labelOf;
    this.#changed = changed;
  }

  clear() {
    this.#byCall.clear();
  }

  /** Show them on a card, and read them for a new one. @param {HTMLElement} card @param {string} id */
  show(card, id) {
    const items = this.#byCall.get(id);
    if (items === undefined) this.#read(id);
    const box = descendant(card, ".earlier");
    box.hidden = !items?.length;
    if (!items || this.#shown.get(box) === items) return;
    this.#shown.set(box, items);
    descendant(box, "ul").replaceChildren(...items.slice(0, MAX_SHOWN).map((item) => this.#row(item)));
  }

  /** @param {string} id */
  async #read(id) {
    this.#byCall.set(id, null);
    try {
      const { content } = await read(`/v1.0/calls/${encodeURIComponent(id)}/caller`);
      if (!this.#byCall.has(id)) return;
      this.#byCall.set(id, content.items);
      this.#changed();
    } catch (error) {
      console.warn(error); // The card shows the call without them.
    }
  }

  /** @param {EarlierCall} item */
  #row(item) {
    const part = new Part(element("earlier-row"));
    const at = parseTime(item.at) ?? 0;
    const day = shownDay(at);
    const how = item.is_missed ? gettext("Missed") : item.duration_seconds === null ? (DIRECTIONS.get(item.direction ?? "") ?? "") : duration(item.duration_seconds * 1000);
    const agent = item.agent_name ? displayText(item.agent_name) : "";
    part.texts({ when: `${day}, ${timeOfDay(at).slice(0, 5)}`, how: [how, displayText(item.queue_name), agent].filter(Boolean).join(" · ") });
    part.texts({ disposition: item.disposition ? displayText(this.#labelOf(item.disposition)) : "", note: item.note ?? "" });
    return part.element;
  }
}
