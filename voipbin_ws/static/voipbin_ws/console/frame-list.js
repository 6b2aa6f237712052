/** The list of frames on the page. It is drawn once per animation frame, however many frames arrive. */

import { latencyOf, nameOf, topicsOf } from "./frame-log.js";
import { descendant, element, PartList, setTexts } from "../shared/dom.js";
import { timeOfDay } from "../shared/time.js";

const ARROWS = { sent: "→", received: "←" };

export class FrameList {
  #log;
  #list = new PartList(element("frames"), element("frame-template"));
  #isDue = false;
  #isRaw = false;

  /** @param {import("./frame-log.js").FrameLog} log */
  constructor(log) {
    this.#log = log;
  }

  /** @param {boolean} isRaw Whether an open frame is shown as it came. */
  set isRaw(isRaw) {
    this.#isRaw = isRaw;
    this.#list.arrange([]);
    this.changed();
  }

  changed() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  #draw() {
    const shown = new Map(this.#log.shown.map((logged) => [String(logged.number), logged]));
    this.#list.arrange([...shown.keys()], (part, key) => {
      const { at, direction, frame, text } = /** @type {import("./frame-log.js").LoggedFrame} */ (shown.get(key));
      part.attributes({ class: direction });
      part.texts({ time: timeOfDay(at), direction: ARROWS[direction], name: nameOf(frame), topic: topicsOf(frame), latency: latencyOf(frame, at), text: "" });
      // Formatted only when it is opened: most never are.
      descendant(part.element, "details").addEventListener("toggle", () => {
        part.texts({ text: this.#isRaw ? text : JSON.stringify(frame, null, 2) });
      });
    });
    setTexts({ "frames-count": this.#log.summary });
  }
}
