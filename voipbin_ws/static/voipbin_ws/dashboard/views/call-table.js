/** The table of calls: the rows of those that are in sight, and the one that the keyboard is at. */

import { DIRECTIONS } from "../../shared/call.js";
import { PartList } from "../../shared/dom.js";
import { ANSWERED_WITHIN_SECONDS, LATE_SECONDS } from "../service-level.js";
import { duration } from "../../shared/time.js";
import { queueOf } from "../view-options.js";

const ENDED_SHOWN_MS = 5000;
export const ENDED_KEPT_MS = ENDED_SHOWN_MS + 600; // with the time in which it fades
const ALL_ROWS = 100; // Up to so many, every call has a row; beyond, those in sight have one.
const ROWS_AROUND = 10;

function space(spacer, height) {
  spacer.hidden = height === 0;
  const row = spacer.firstElementChild;
  if (row.style.height !== `${height}px`) row.style.height = `${height}px`;
}

export class CallTable {
  #board;
  #rows;
  #scroller;
  #above;
  #below;
  #order = []; // ids of all calls that are shown
  #rowHeight = 0;
  #renderedAt = 0;
  #at = null; // id of the call that Tab leads to
  #opened = ""; // id of the call whose timeline is open

  /** `scroller` holds the table; `above` and `below` stand for the rows out of sight; `open(id)` is called for the row chosen. */
  constructor(viewOptions, { scroller, table, body, above, below, template, open }) {
    this.viewOptions = viewOptions;
    this.#scroller = scroller;
    this.#above = above;
    this.#below = below;
    this.table = table;
    this.#rows = new PartList(body, template);
    body.addEventListener("click", ({ target, detail }) => {
      const row = target.closest("[data-call]");
      const marked = getSelection();
      // Whoever marks a number with the mouse means to copy it.
      if (!row || (detail > 0 && marked.type === "Range" && marked.containsNode(row, true))) return;
      this.#moveTo(row.dataset.call);
      open(row.dataset.call);
    });
    body.addEventListener("focusin", ({ target }) => this.#moveTo(target.closest("[data-call]").dataset.call));
  }

  get shownCount() {
    return this.#order.length;
  }

  /** The row of a call, where it is in sight. */
  row(id) {
    return this.#rows.parts.get(id)?.element ?? null;
  }

  /** Which rows of the board's calls there are, and in which order. */
  arrange(board, now) {
    const before = this.#order.indexOf(this.#at);
    this.#board = board;
    this.#order = this.viewOptions.of(board).map(({ id }) => id);
    // Where its call is gone, the keyboard is at the one that took its place.
    if (!this.#order.includes(this.#at)) this.#at = this.#order[Math.min(Math.max(before, 0), this.#order.length - 1)] ?? null;
    this.scrolled(now);
  }

  /** Mark the row whose timeline is open, where the keyboard is then as well; empty for none. */
  markOpen(id) {
    if (this.#rows.parts.has(id)) this.#moveTo(id);
    for (const each of [this.#opened, id]) this.#rows.parts.get(each)?.attribute("data-open", each === id ? "" : null);
    this.#opened = id;
  }

  /** Put the keyboard at the call so many rows on; at the first where it was at none. */
  step(rows) {
    if (!this.#order.length) return;
    const index = this.#order.indexOf(this.#at);
    const next = index < 0 ? 0 : Math.min(Math.max(index + rows, 0), this.#order.length - 1);
    this.#moveTo(this.#order[next]);
    this.#scrollTo(next);
    this.focus();
  }

  /** Give the keyboard to the row where it was; whether there is one. */
  focus() {
    const button = this.#button(this.#at);
    button?.focus({ preventScroll: true });
    return button !== undefined;
  }

  #button(id) {
    return this.#rows.parts.get(id)?.element.querySelector(".open");
  }

  #moveTo(id) {
    if (id === this.#at && this.#button(id)?.tabIndex === 0) return;
    const before = this.#button(this.#at);
    if (before) before.tabIndex = -1;
    this.#at = id;
    const button = this.#button(id);
    if (button) button.tabIndex = 0;
  }

  /** Bring the row into sight, and so into being. */
  #scrollTo(index) {
    const head = this.table.tHead.offsetHeight;
    const top = index * this.#rowHeight;
    const { scrollTop, clientHeight } = this.#scroller;
    if (top < scrollTop) this.#scroller.scrollTop = top;
    else if (top + this.#rowHeight > scrollTop + clientHeight - head) this.#scroller.scrollTop = top + this.#rowHeight - clientHeight + head;
    this.scrolled(this.#renderedAt);
  }

  /** Give those calls rows that are in sight. */
  scrolled(now) {
    this.#renderedAt = now;
    const hadFocus = document.activeElement?.closest("#rows [data-call]")?.getAttribute("data-call");
    const all = this.#order.length;
    this.#rowHeight = this.#rows.first?.offsetHeight || this.#rowHeight || 38;
    let first = 0;
    let end = all;
    if (this.#scroller.clientHeight === 0) end = 0;
    else if (all > ALL_ROWS) {
      const inSight = Math.ceil(this.#scroller.clientHeight / this.#rowHeight);
      const top = Math.min(Math.floor(this.#scroller.scrollTop / this.#rowHeight), all - inSight);
      first = Math.max(0, top - ROWS_AROUND);
      end = Math.min(all, top + inSight + ROWS_AROUND);
    }
    this.#rows.arrange(this.#order.slice(first, end), (part, id) => {
      const call = this.#board.calls.get(id);
      if (call) this.#render(part, call, now);
      part.element.querySelector(".open").tabIndex = id === this.#at ? 0 : -1;
    });
    space(this.#above, first * this.#rowHeight);
    space(this.#below, (all - end) * this.#rowHeight);
    // Who does not see the page is told how many there are, and which these are.
    this.table.setAttribute("aria-rowcount", String(all + 1));
    let index = first + 2;
    for (const id of this.#order.slice(first, end)) this.#rows.parts.get(id).attribute("aria-rowindex", String(index++));
    if (!this.#rows.parts.has(this.#at)) this.#at = this.#order[first] ?? null;
    const button = this.#button(this.#at);
    if (button) button.tabIndex = 0;
    // A row that moved lost it.
    if (hadFocus && !document.activeElement?.closest("#rows")) (this.#button(hadFocus) ?? button)?.focus({ preventScroll: true });
  }

  /** Paint these calls' rows, those of them that are shown. */
  render(ids, now) {
    for (const id of ids) {
      const part = this.#rows.parts.get(id);
      const call = this.#board.calls.get(id);
      if (part && call) this.#render(part, call, now);
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

  #render(part, call, now) {
    part.attribute("data-state", call.state);
    part.attribute("data-call", call.id);
    part.attribute("data-open", call.id === this.#opened ? "" : null);
    part.text("state", call.stateLabel);
    part.shape(0, `shape-${call.state}`);
    part.text("direction", DIRECTIONS.get(call.direction) ?? call.direction);
    part.shape(1, DIRECTIONS.has(call.direction) ? `arrow-${call.direction}` : "no-arrow");
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
