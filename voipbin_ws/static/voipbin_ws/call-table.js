/** The table of calls: which are shown, in which order, and the rows of those that are in sight. */

import { ANSWERED_WITHIN_SECONDS, LATE_SECONDS, STATES } from "./calls.js";
import { PartList } from "./parts.js";
import { duration } from "./times.js";

const ENDED_SHOWN_MS = 5000;
const FADE_MS = 600;
const ALL_ROWS = 100; // Up to so many, every call has a row; beyond, those in sight have one.
const ROWS_AROUND = 10;
const RANK = new Map(STATES.map((state, index) => [state, index]));
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
const DIRECTIONS = new Map([
  ["inbound", "Inbound"],
  ["outbound", "Outbound"],
]);

/** How calls compare, by column; where they are alike the longer in its state comes first. */
const BY = {
  state: (one, other) => RANK.get(one.state) - RANK.get(other.state),
  direction: (one, other) => collator.compare(one.direction, other.direction),
  from: (one, other) => collator.compare(one.from.name || one.from.number, other.from.name || other.from.number),
  to: (one, other) => collator.compare(one.to.name || one.to.number, other.to.name || other.to.number),
  queue: (one, other, board) => collator.compare(queueOf(one, board), queueOf(other, board)),
  agent: (one, other, board) => collator.compare(board.agentName(one.agentId), board.agentName(other.agentId)),
  inState: (one, other) => other.stateSince - one.stateSince,
  total: (one, other) => other.startedAt - one.startedAt,
};

function space(spacer, height) {
  spacer.hidden = height === 0;
  const row = spacer.firstElementChild;
  if (row.style.height !== `${height}px`) row.style.height = `${height}px`;
}

function queueOf(call, board) {
  return board.queueName(call.place?.queueId);
}

/** What is shown: any of `states` (none for all), a queue, a direction, words; how it is sorted. Kept in the address. */
export class View {
  constructor(search = "") {
    const query = new URLSearchParams(search);
    this.states = new Set((query.get("state") ?? "").split(",").filter((state) => RANK.has(state)));
    this.queue = query.get("queue") ?? "";
    this.direction = query.get("direction") ?? "";
    this.words = query.get("q") ?? "";
    this.sort = Object.hasOwn(BY, query.get("sort") ?? "") ? query.get("sort") : "state";
    this.descending = query.get("order") === "desc";
  }

  get isFiltered() {
    return this.states.size > 0 || this.queue !== "" || this.direction !== "" || this.words.trim() !== "";
  }

  /** Show everything; the order stays. */
  clear() {
    this.states.clear();
    this.queue = this.direction = this.words = "";
  }

  toString() {
    const parts = {
      state: [...this.states].join(","),
      queue: this.queue,
      direction: this.direction,
      q: this.words.trim(),
      sort: this.sort === "state" ? "" : this.sort,
      order: this.descending ? "desc" : "",
    };
    return new URLSearchParams(Object.entries(parts).filter(([, value]) => value)).toString();
  }

  shows(call, board) {
    if (this.states.size && !this.states.has(call.state)) return false;
    if (this.queue && call.place?.queueId !== this.queue) return false;
    if (this.direction && call.direction !== this.direction) return false;
    const words = this.words.trim().toLowerCase();
    if (!words) return true;
    const text = [call.from.name, call.from.number, call.to.name, call.to.number, queueOf(call, board), board.agentName(call.agentId), call.stateWord, call.id]
      .join("\n")
      .toLowerCase();
    return words.split(/\s+/).every((word) => text.includes(word));
  }

  compare(board) {
    const by = BY[this.sort];
    const sign = this.descending ? -1 : 1;
    return (one, other) => sign * by(one, other, board) || one.stateSince - other.stateSince || (one.id < other.id ? -1 : 1);
  }
}

export class CallTable {
  #board;
  #rows;
  #scroller;
  #above;
  #below;
  #order = []; // ids of all calls that are shown
  #rowHeight = 0;

  /** `scroller` holds the table; `above` and `below` stand for the rows out of sight. */
  constructor(board, view, { scroller, table, body, above, below, template }) {
    this.#board = board;
    this.view = view;
    this.#scroller = scroller;
    this.#above = above;
    this.#below = below;
    this.table = table;
    this.#rows = new PartList(body, template);
  }

  get shown() {
    return this.#order.length;
  }

  /** Which rows there are, and in which order. */
  arrange(now) {
    this.#board.forgetEnded(Date.now() - ENDED_SHOWN_MS - FADE_MS);
    const calls = [...this.#board.calls.values()].filter((call) => this.view.shows(call, this.#board));
    calls.sort(this.view.compare(this.#board));
    this.#order = calls.map(({ id }) => id);
    this.scrolled(now);
  }

  /** Give those calls rows that are in sight. */
  scrolled(now) {
    const all = this.#order.length;
    this.#rowHeight = this.#rows.first?.offsetHeight || this.#rowHeight || 38;
    let first = 0;
    let end = all;
    if (all > ALL_ROWS) {
      const inSight = Math.ceil(this.#scroller.clientHeight / this.#rowHeight);
      const top = Math.min(Math.floor(this.#scroller.scrollTop / this.#rowHeight), all - inSight);
      first = Math.max(0, top - ROWS_AROUND);
      end = Math.min(all, top + inSight + ROWS_AROUND);
    }
    this.#rows.arrange(this.#order.slice(first, end), (part, id) => {
      const call = this.#board.calls.get(id);
      if (call) this.#paint(part, call, now);
    });
    space(this.#above, first * this.#rowHeight);
    space(this.#below, (all - end) * this.#rowHeight);
    // Who does not see the page is told how many there are, and which these are.
    this.table.setAttribute("aria-rowcount", String(all + 1));
    let index = first + 2;
    for (const id of this.#order.slice(first, end)) this.#rows.parts.get(id).attribute("aria-rowindex", String(index++));
  }

  /** Paint these calls' rows, those of them that are shown. */
  paint(ids, now) {
    for (const id of ids) {
      const part = this.#rows.parts.get(id);
      const call = this.#board.calls.get(id);
      if (part && call) this.#paint(part, call, now);
    }
  }

  /** All times go on to `now`. */
  tick(now) {
    const fadeFrom = Date.now() - ENDED_SHOWN_MS;
    for (const [id, part] of this.#rows.parts) {
      const call = this.#board.calls.get(id);
      if (!call) continue;
      this.#times(part, call, now);
      if (call.forgetFrom !== null) part.element.classList.toggle("leaving", call.forgetFrom < fadeFrom);
    }
  }

  #paint(part, call, now) {
    part.attribute("data-state", call.state);
    part.attribute("data-call", call.id);
    part.text("state", call.stateWord);
    part.shape(0, `shape-${call.state}`);
    part.text("direction", DIRECTIONS.get(call.direction) ?? call.direction);
    part.shape(1, call.direction === "outbound" ? "arrow-outbound" : "arrow-inbound");
    part.text("fromName", call.from.name);
    part.text("from", call.from.number);
    part.text("toName", call.to.name);
    part.text("to", call.to.number);
    part.text("queue", queueOf(call, this.#board));
    part.text("agent", this.#board.agentName(call.agentId));
    this.#times(part, call, now);
  }

  #times(part, call, now) {
    const until = call.endedAt ?? now;
    const inState = call.endedAt === null ? now - call.stateSince : 0;
    part.text("inState", call.endedAt === null ? duration(inState) : "");
    part.text("total", duration(until - call.startedAt));
    part.attribute("data-wait", call.state !== "waiting" ? null : inState > LATE_SECONDS * 1000 ? "late" : inState > ANSWERED_WITHIN_SECONDS * 1000 ? "long" : "fresh");
  }
}
