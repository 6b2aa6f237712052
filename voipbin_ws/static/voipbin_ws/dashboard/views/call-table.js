/** The table of calls: rows for the visible part of the list, and the row that has the keyboard. */

import { callerName, DIRECTIONS, labelOf } from "../../shared/call.js";
import { descendant, element, PartList } from "../../shared/dom.js";
import { DEFAULT_TARGETS, waitLevel } from "../figures.js";
import { duration } from "../../shared/time.js";
import { queueOf } from "../view-options.js";

const WAITS = { bad: "late", warn: "long", normal: "fresh" };
const ENDED_SHOWN_MS = 5000;
export const ENDED_KEPT_MS = ENDED_SHOWN_MS + 600; // Includes the time of the transition.
const ALL_ROWS = 100; // Up to this number every call has a row.
const ROWS_AROUND = 10;
const USUAL_HEIGHT = 38;

/** @param {HTMLElement} spacer @param {number} height */
function setHeight(spacer, height) {
  spacer.hidden = height === 0;
  const row = /** @type {HTMLElement} */ (spacer.firstElementChild);
  if (row.style.height !== `${height}px`) row.style.height = `${height}px`;
}

/** @param {Event} event */
function callOf({ target }) {
  return /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest("[data-call]"))?.dataset.call;
}

export class CallTable {
  #viewOptions;
  #pendingOf;
  #scroller = element("scroller");
  #table = /** @type {HTMLTableElement} */ (element("calls"));
  #rows = new PartList(element("rows"), element("call-row"));
  /** @type {Board | null} */ #board = null;
  /** @type {string[]} */ #order = []; // Ids of all shown calls.
  #rowHeight = 0;
  #renderedAt = 0;
  #isPrinted = false;
  /** @type {string | null} */ #current = null; // The call whose row Tab reaches.
  #opened = ""; // The call whose timeline is open.

  /**
   * @param {ViewOptions} viewOptions
   * @param {{ open: (id: string) => void, openMenu: (button: HTMLElement, id: string) => void, pendingOf: (call: Call) => string }} parts
   *   `open` is called for the row that was chosen; `pendingOf` returns what is being done to a call, or "".
   */
  constructor(viewOptions, { open, openMenu, pendingOf }) {
    this.#viewOptions = viewOptions;
    this.#pendingOf = pendingOf;
    element("rows").addEventListener("click", (event) => {
      const id = callOf(event);
      const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".act"));
      if (id && button) {
        openMenu(button, id);
        return;
      }
      const row = id && this.#rows.part(id).element;
      const selection = getSelection();
      // A click that ends a selection within the row is made to copy a number.
      if (!row || (event.detail > 0 && selection?.type === "Range" && selection.containsNode(row, true))) return;
      this.#moveTo(id);
      open(id);
    });
    // In print all calls have rows.
    for (const type of ["beforeprint", "afterprint"]) {
      addEventListener(type, () => {
        this.#isPrinted = type === "beforeprint";
        this.scrolled(this.#renderedAt);
      });
    }
    element("rows").addEventListener("focusin", (event) => this.#moveTo(callOf(event) ?? null));
  }

  /** The call whose row has the focus, or "". */
  get focused() {
    return document.activeElement?.closest("#rows [data-call]")?.getAttribute("data-call") ?? "";
  }

  get shownCount() {
    return this.#order.length;
  }

  /** Determine which calls have rows, and their order. @param {Board} board @param {number} now */
  arrange(board, now) {
    const before = this.#order.indexOf(this.#current ?? "");
    this.#board = board;
    this.#order = this.#viewOptions.of(board).map(({ id }) => id);
    // If the current call is gone, the one that took its place becomes current.
    if (!this.#order.includes(this.#current ?? "")) this.#current = this.#order[Math.min(Math.max(before, 0), this.#order.length - 1)] ?? null;
    this.scrolled(now);
  }

  /** Mark the row whose timeline is open, and make it current. @param {string} id "" for none. */
  markOpen(id) {
    if (this.#rows.parts.has(id)) this.#moveTo(id);
    for (const each of [this.#opened, id]) this.#rows.parts.get(each)?.attributes({ "data-open": each === id ? "" : null });
    this.#opened = id;
  }

  /** Focus the row that is `rows` further; the first one if none is current. @param {number} rows */
  step(rows) {
    if (!this.#order.length) return;
    const index = this.#order.indexOf(this.#current ?? "");
    const next = index < 0 ? 0 : Math.min(Math.max(index + rows, 0), this.#order.length - 1);
    this.#moveTo(this.#order[next]);
    this.#scrollTo(next);
    this.focus();
  }

  /** Focus the current row, and return whether there is one. */
  focus() {
    const button = this.#button(this.#current);
    button?.focus({ preventScroll: true });
    return button !== undefined;
  }

  /** @param {string | null} id */
  #button(id) {
    const part = this.#rows.parts.get(id ?? "");
    return part && descendant(part.element, ".open");
  }

  /** @param {string | null} id */
  #moveTo(id) {
    if (id === this.#current && this.#button(id)?.tabIndex === 0) return;
    const before = this.#button(this.#current);
    if (before) before.tabIndex = -1;
    this.#current = id;
    const button = this.#button(id);
    if (button) button.tabIndex = 0;
  }

  /** Scroll a row into view, and so create it. @param {number} index */
  #scrollTo(index) {
    const head = this.#table.tHead?.offsetHeight ?? 0;
    const top = index * this.#rowHeight;
    const { scrollTop, clientHeight } = this.#scroller;
    if (top < scrollTop) this.#scroller.scrollTop = top;
    else if (top + this.#rowHeight > scrollTop + clientHeight - head) this.#scroller.scrollTop = top + this.#rowHeight - clientHeight + head;
    this.scrolled(this.#renderedAt);
  }

  /** Create the rows of the visible calls. @param {number} now */
  scrolled(now) {
    this.#renderedAt = now;
    const { focused } = this;
    const [first, end] = this.#visible();
    const ids = this.#order.slice(first, end);
    this.#rows.arrange(ids, (part, id) => {
      this.#render(part, id, now);
      descendant(part.element, ".open").tabIndex = id === this.#current ? 0 : -1;
    });
    setHeight(element("above"), first * this.#rowHeight);
    setHeight(element("below"), (this.#order.length - end) * this.#rowHeight);
    // Screen readers get the number of all rows, and the position of each.
    this.#table.setAttribute("aria-rowcount", String(this.#order.length + 1));
    for (const [index, id] of ids.entries()) this.#rows.part(id).attributes({ "aria-rowindex": String(first + index + 2) });
    if (!this.#rows.parts.has(this.#current ?? "")) this.#current = this.#order[first] ?? null;
    const button = this.#button(this.#current);
    if (button) button.tabIndex = 0;
    // A row that moves in the document loses the focus.
    if (focused && !document.activeElement?.closest("#rows")) (this.#button(focused) ?? button)?.focus({ preventScroll: true });
  }

  /** Return the first of the visible calls, and the one behind the last. */
  #visible() {
    const all = this.#order.length;
    const { clientHeight, scrollTop } = this.#scroller;
    this.#rowHeight = this.#rows.first?.offsetHeight || this.#rowHeight || USUAL_HEIGHT;
    if (clientHeight === 0) return [0, 0];
    if (all <= ALL_ROWS || this.#isPrinted) return [0, all];
    const count = Math.ceil(clientHeight / this.#rowHeight);
    const top = Math.min(Math.floor(scrollTop / this.#rowHeight), all - count);
    return [Math.max(0, top - ROWS_AROUND), Math.min(all, top + count + ROWS_AROUND)];
  }

  /** Update the rows of these calls. @param {Iterable<string>} ids @param {number} now */
  render(ids, now) {
    for (const id of ids) {
      const part = this.#rows.parts.get(id);
      if (part) this.#render(part, id, now);
    }
  }

  /** Update all durations. @param {number} now */
  tick(now) {
    const fadeFrom = now - ENDED_SHOWN_MS;
    for (const [id, part] of this.#rows.parts) {
      const call = this.#board?.calls.get(id);
      if (!call) continue;
      this.#renderTimes(part, call, now);
      if (call.forgetFrom !== null) part.element.classList.toggle("leaving", call.forgetFrom < fadeFrom);
    }
  }

  /** @param {Part} part @param {string} id @param {number} now */
  #render(part, id, now) {
    const board = this.#board;
    const call = board?.calls.get(id);
    if (!board || !call) return;
    const { state, stateLabel, direction, from, to, otherParty } = call;
    // The contact centre's own side may have no name: the other party has.
    const nameOf = (/** @type {Party} */ party) => (party === otherParty && !labelOf(party) ? callerName(party) : party.name);
    part.attributes({ "data-state": state, "data-call": call.id, "data-open": call.id === this.#opened ? "" : null });
    const pending = this.#pendingOf(call);
    part.attributes({ "data-pending": pending ? "" : null });
    part.texts({ state: pending || stateLabel, direction: DIRECTIONS.get(direction) ?? direction });
    part.texts({ fromName: nameOf(from), from: from.number, toName: nameOf(to), to: to.number });
    part.texts({ otherName: nameOf(otherParty), other: otherParty.number });
    part.texts({ queue: queueOf(call, board), agent: board.agentName(call.agentId) });
    part.shape(0, `shape-${state}`);
    part.shape(1, DIRECTIONS.has(direction) ? `arrow-${direction}` : "no-arrow");
    this.#renderTimes(part, call, now);
  }

  /** @param {Part} part @param {Call} call @param {number} now */
  #renderTimes(part, call, now) {
    const until = call.endedAt ?? now;
    const inState = call.endedAt === null ? now - call.stateSince : 0;
    part.texts({ inState: call.endedAt === null ? duration(inState) : "", total: duration(until - call.startedAt) });
    const level = waitLevel(inState, this.#board?.figures.targetsOf(call.place?.queueId) ?? DEFAULT_TARGETS);
    part.attributes({ "data-wait": call.state === "waiting" ? WAITS[level ?? "normal"] : null });
  }
}
