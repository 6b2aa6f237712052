/** The queues beside the table of calls: those that miss their target first. */

import { grade, lastHour, waitLevel } from "../figures.js";
import { drawBars } from "./sparkline.js";
import { descendant, element, PartList, setShown } from "../../shared/dom.js";
import { gettext, shownNumber, shownPercent } from "../../shared/gettext.js";
import { duration } from "../../shared/time.js";

const DRAW_MS = 5000;

/** Format a service level, which is cut off: 79.6% has not reached 80%. @param {number} level In per cent. */
export function levelText(level) {
  return shownPercent(Math.floor(level) / 100);
}

export class QueueTable {
  #queues = new PartList(element("queue-rows"), element("queue-row"));
  #choose;
  #drawnAt = -Infinity;

  /** @param {(queue: string) => void} choose Called with the id of the queue that the user chose. */
  constructor(choose) {
    this.#choose = choose;
  }

  /** @param {Board} board @param {Summary} summary @param {number} now @param {string} chosen The queue by which calls are filtered, or "". */
  show(board, { queues }, now, chosen) {
    const { figures } = board;
    const isBreached = (/** @type {string} */ id) => figures.queues.get(id)?.is_breached ?? false;
    const compare = (/** @type {string} */ one, /** @type {string} */ other) =>
      Number(isBreached(other)) - Number(isBreached(one)) || board.queueName(one).localeCompare(board.queueName(other)) || (one < other ? -1 : 1);
    const ids = [...queues.keys()].sort(compare);
    this.#queues.arrange(ids, (part, id) => descendant(part.element, "button").addEventListener("click", () => this.#choose(id)));
    const draws = performance.now() - this.#drawnAt >= DRAW_MS;
    if (draws) this.#drawnAt = performance.now();
    for (const [id, queue] of queues) {
      this.#showQueue(board, id, queue, now, chosen === id);
      if (draws) this.#draw(board, id, now);
    }
    setShown({ "no-queues": ids.length === 0 });
  }

  /** Draw the charts again with the next numbers, which are of another board. */
  redraw() {
    this.#drawnAt = -Infinity;
  }

  /** @param {Board} board @param {string} id @param {QueueSummary} queue @param {number} now @param {boolean} isChosen */
  #showQueue(board, id, { waiting, talking, oldest, serving, available }, now, isChosen) {
    const part = this.#queues.part(id);
    const figures = board.figures.queues.get(id);
    const targets = board.figures.targetsOf(id);
    const level = figures?.service_level ?? null;
    const longest = oldest === null ? null : now - oldest;
    part.texts({ name: board.queueName(id), waiting: shownNumber(waiting), talking: shownNumber(talking) });
    part.texts({ longest: longest === null ? "—" : duration(longest), free: serving === null ? "—" : `${shownNumber(available ?? 0)} / ${shownNumber(serving)}` });
    part.texts({ level: level === null ? "—" : levelText(level), target: levelText(targets.target_percent), seconds: shownNumber(targets.target_seconds) });
    part.texts({ abandoned: figures ? shownNumber(figures.abandoned) : "—", breach: figures?.is_breached ? `▼ ${gettext("below target")}` : "" });
    part.attributes({
      "data-busy": waiting ? "" : null,
      "data-late": waitLevel(longest, targets) === "bad" ? "" : null,
      "data-breached": figures?.is_breached ? "" : null,
      "data-level": grade(level, targets),
      "data-chosen": isChosen ? "" : null,
    });
    descendant(part.element, "button").setAttribute("aria-pressed", String(isChosen));
  }

  /** @param {Board} board @param {string} id @param {number} now */
  #draw(board, id, now) {
    const levels = lastHour(board.figures.queues.get(id) ?? null, now, ({ service_level: level }) => level ?? null);
    const known = levels.filter((level) => level !== null).map(levelText);
    const words = known.length ? gettext("Service level of the last hour, five minutes each: {levels}", { levels: known.join(", ") }) : gettext("No callers in the last hour");
    drawBars(/** @type {HTMLElement} */ (/** @type {unknown} */ (descendant(this.#queues.part(id).element, "svg"))), levels.map((level) => level && level / 100), words);
  }
}
