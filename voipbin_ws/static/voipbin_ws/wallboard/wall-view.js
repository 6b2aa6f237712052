/** Draws the wallboard: the cards, the table of queues with its pages, and the clock. */

import { PageRotation } from "./page-rotation.js";
import { lineOf, queueLines } from "./wall-figures.js";
import { judged, sumOf } from "../dashboard/figures.js";
import { levelText } from "../dashboard/views/queue-table.js";
import { element, PartList, setData, setShown, setTexts } from "../shared/dom.js";
import { gettext, ngettext, shownNumber } from "../shared/gettext.js";
import { duration, timeOfDay } from "../shared/time.js";

/** @typedef {import("./wall-figures.js").WallFigures} WallFigures */
/** @typedef {import("./wall-figures.js").WallLine} WallLine */

const SCROLLS = matchMedia("(max-width: 800px)"); // A narrow window is no screen on a wall: it scrolls.

/** @param {number | null} level */
const levelOrNone = (level) => (level === null ? "—" : levelText(level));

/** @param {number | null} wait */
const waitOrNone = (wait) => (wait === null ? "—" : duration(wait));

/** @param {AgentCounts | null} agents */
const present = (agents) => (agents ? agents.available + agents.busy + agents.away : 0);

export class WallView {
  #rows = new PartList(element("wall-rows"), element("wall-row"));
  #rotation = new PageRotation();
  #shownPage = 0;

  constructor() {
    element("page-before").addEventListener("click", () => this.#rotation.turn(-1, performance.now()));
    element("page-after").addEventListener("click", () => this.#rotation.turn(1, performance.now()));
    element("page-pause").addEventListener("click", () => {
      this.#rotation.isPaused = !this.#rotation.isPaused;
      element("page-pause").setAttribute("aria-pressed", String(this.#rotation.isPaused));
    });
  }

  /** @param {{ total: WallFigures | null, queues: WallFigures[] }} figures @param {number} now */
  show({ total, queues }, now) {
    const whole = total ?? sumOf(queues);
    if (whole) this.#showCards(lineOf(whole, now), whole);
    const lines = queueLines(queues, now);
    const shown = this.#rotation.show(lines, this.#fit(), performance.now());
    this.#rows.arrange(shown.map(({ id }) => id));
    for (const { id, name, ...line } of shown) this.#showLine(id, name, line);
    setShown({ "no-queues": lines.length === 0, "wall-table": lines.length > 0 });
    this.#showPages();
  }

  /** @param {number} now */
  tick(now) {
    setTexts({ "wall-clock": timeOfDay(now) });
  }

  /** Return how many rows the screen has room for. */
  #fit() {
    const row = this.#rows.first?.getBoundingClientRect().height;
    if (SCROLLS.matches || !row) return Infinity;
    const room = element("wall-queues").clientHeight - element("wall-head").getBoundingClientRect().height;
    return Math.max(1, Math.floor(room / row));
  }

  /** @param {WallLine} line @param {WallFigures} figures */
  #showCards(line, figures) {
    const { waiting, longest, late, level, grade, target, seconds, abandoned, agents } = line;
    this.#card("waiting", shownNumber(waiting), ngettext("{count} caller in a queue", "{count} callers in queues", waiting), waiting ? "warn" : null);
    this.#card("longest", waitOrNone(longest), longest === null ? gettext("no one waiting") : gettext("target {seconds} s", { seconds }), late);
    this.#card("level", levelOrNone(level), gettext("target {percent} in {seconds} s, last hour", { percent: levelText(target), seconds }), grade);
    this.#card("abandoned", shownNumber(abandoned), ngettext("of {count} caller, last hour", "of {count} callers, last hour", judged(figures)));
    setShown({ "agents-card": agents !== null });
    if (!agents) return;
    const people = gettext("{busy} busy, {away} away, {offline} offline", { busy: agents.busy, away: agents.away, offline: agents.offline });
    const isShort = waiting > 0 && present(agents) > 0 && agents.available === 0;
    this.#card("agents", shownNumber(agents.available), people, isShort ? "bad" : null);
  }

  /** @param {string} name @param {string} value @param {string} note @param {string | null} level */
  #card(name, value, note, level = null) {
    setTexts({ [`card-${name}`]: value, [`card-${name}-note`]: note });
    setData(element(`card-${name}`), "level", level);
  }

  /** @param {string} id @param {string} name @param {WallLine} line */
  #showLine(id, name, { waiting, longest, late, level, grade, target, seconds, abandoned, agents, isBreached }) {
    const part = this.#rows.part(id);
    part.texts({ name, waiting: shownNumber(waiting), longest: waitOrNone(longest), level: levelOrNone(level), target: levelText(target), seconds: shownNumber(seconds) });
    part.texts({ abandoned: shownNumber(abandoned), breach: isBreached ? gettext("▼ below target") : "" });
    const count = (/** @type {keyof AgentCounts} */ kind) => (agents ? shownNumber(agents[kind]) : "—");
    part.texts({ available: count("available"), busy: count("busy"), away: count("away") });
    part.attributes({ "data-busy": waiting ? "" : null, "data-late": late === "bad" ? "" : null, "data-breached": isBreached ? "" : null, "data-level": grade });
  }

  #showPages() {
    const { page, count, isPaused } = this.#rotation;
    setShown({ "wall-pages": count > 1 });
    setTexts({ "page-number": gettext("Page {page} of {count}", { page: page + 1, count }) });
    setTexts({ "page-pause": isPaused ? gettext("Turn pages") : gettext("Keep this page") });
    if (page === this.#shownPage) return;
    this.#shownPage = page;
    const table = element("wall-rows");
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) table.animate([{ opacity: 0 }, { opacity: 1 }], 300);
  }
}
