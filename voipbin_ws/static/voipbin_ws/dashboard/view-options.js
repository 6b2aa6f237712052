/** What somebody chose to see: which calls, in which order, whose, in which form. Kept in the address. */

import { STATES } from "../shared/call.js";

const RANK = new Map(STATES.map((state, index) => [state, index]));
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

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

/** The name of the queue where a call waits or came from. */
export function queueOf(call, board) {
  return board.queueName(call.place?.queueId);
}

export class ViewOptions {
  constructor(search = "") {
    this.read(search);
  }

  /** Any of `states` (none for all), a queue, a direction, words; an order; the call whose timeline is open; the customer. */
  read(search) {
    const query = new URLSearchParams(search);
    const text = (name) => query.get(name) ?? "";
    this.states = new Set(text("state").split(",").filter((state) => RANK.has(state)));
    this.queue = text("queue");
    this.direction = text("direction");
    this.words = text("q");
    this.sort = Object.hasOwn(BY, text("sort")) ? text("sort") : "state";
    this.descending = text("order") === "desc";
    this.call = text("call");
    this.customer = text("customer");
    this.isWallboard = text("view") === "wall";
  }

  get isFiltered() {
    return this.states.size > 0 || this.queue !== "" || this.direction !== "" || this.words.trim() !== "";
  }

  /** Show everything; the rest stays. */
  clear() {
    this.states.clear();
    this.queue = this.direction = this.words = "";
  }

  toString() {
    const parts = {
      view: this.isWallboard ? "wall" : "",
      customer: this.customer,
      state: [...this.states].join(","),
      queue: this.queue,
      direction: this.direction,
      q: this.words.trim(),
      sort: this.sort === "state" ? "" : this.sort,
      order: this.descending ? "desc" : "",
      call: this.call,
    };
    return new URLSearchParams(Object.entries(parts).filter(([, value]) => value)).toString();
  }

  /** The calls of the board that are to be shown, in their order. */
  of(board) {
    const words = this.words.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const by = BY[this.sort];
    const sign = this.descending ? -1 : 1;
    return [...board.calls.values()]
      .filter((call) => this.#shows(call, board, words))
      .sort((one, other) => sign * by(one, other, board) || one.stateSince - other.stateSince || (one.id < other.id ? -1 : 1));
  }

  #shows(call, board, words) {
    if (this.states.size && !this.states.has(call.state)) return false;
    if (this.queue && call.place?.queueId !== this.queue) return false;
    if (this.direction && call.direction !== this.direction) return false;
    if (!words.length) return true;
    const text = [call.from.name, call.from.number, call.to.name, call.to.number, queueOf(call, board), board.agentName(call.agentId), call.stateLabel, call.id]
      .join("\n")
      .toLowerCase();
    return words.every((word) => text.includes(word));
  }
}
