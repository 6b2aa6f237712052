/** Filter, sort order, selected call, customer and layout of the dashboard, stored in the URL query. Sans-I/O. */

import { isGroup } from "./agent-groups.js";
import { labelOf, STATES } from "../shared/call.js";
import { numberSearch } from "../shared/phone-number.js";
import { folded } from "../shared/text.js";
import { exactTime } from "../shared/time.js";

const RANK = new Map(STATES.map((state, index) => [state, index]));
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** @param {Call} call */
const rankOf = ({ state }) => RANK.get(state) ?? STATES.length;

/** Comparisons of two calls, by column. @type {Record<string, (one: Call, other: Call, board: Board) => number>} */
const COMPARISONS = {
  state: (one, other) => rankOf(one) - rankOf(other),
  direction: (one, other) => collator.compare(one.direction, other.direction),
  from: (one, other) => collator.compare(labelOf(one.from), labelOf(other.from)),
  to: (one, other) => collator.compare(labelOf(one.to), labelOf(other.to)),
  queue: (one, other, board) => collator.compare(queueOf(one, board), queueOf(other, board)),
  agent: (one, other, board) => collator.compare(board.agentName(one.agentId), board.agentName(other.agentId)),
  inState: (one, other) => other.stateSince - one.stateSince,
  total: (one, other) => other.startedAt - one.startedAt,
};

/** Return the name of the queue in which a call waits, or from which it was connected. @param {Call} call @param {Board} board */
export function queueOf(call, board) {
  return board.queueName(call.place?.queueId);
}

export class ViewOptions {
  /** @type {Set<string>} */ states = new Set(); // Empty for all.
  queue = "";
  direction = "";
  words = "";
  sort = "state";
  descending = false;
  at = ""; // The past moment that is shown, "" for the present.
  call = ""; // The call whose timeline is open.
  customer = "";
  isWallboard = false;
  /** @type {Set<string>} */ agentGroups = new Set(); // Empty for all.
  agentWords = "";
  team = ""; // The name of a team, in any case.
  isHistory = false; // Whether calls of the past are shown, which the following options choose.
  from = ""; // A date, "" for today.
  to = ""; // The last date, "" for the first.
  outcome = "";
  agentId = "";
  minWait = ""; // In seconds.

  constructor(search = "") {
    this.read(search);
  }

  /** Take over a URL query. @param {string} search */
  read(search) {
    const query = new URLSearchParams(search);
    const text = (/** @type {string} */ name) => query.get(name) ?? "";
    this.states = new Set(text("state").split(",").filter((state) => RANK.has(state)));
    this.queue = text("queue");
    this.direction = text("direction");
    this.words = text("q");
    this.sort = Object.hasOwn(COMPARISONS, text("sort")) ? text("sort") : "state";
    this.descending = text("order") === "desc";
    this.at = exactTime(text("at")) === null ? "" : text("at");
    this.call = text("call");
    this.customer = text("customer");
    this.isWallboard = text("view") === "wall";
    this.agentGroups = new Set(text("agents").split(",").filter(isGroup));
    this.agentWords = text("agent");
    this.team = text("team").trim();
    this.isHistory = text("view") === "history";
    this.from = text("from");
    this.to = text("to");
    this.outcome = text("outcome");
    this.agentId = text("by");
    this.minWait = text("wait");
  }

  get isFiltered() {
    return this.states.size > 0 || this.queue !== "" || this.direction !== "" || this.words.trim() !== "";
  }

  /** Remove all filters. */
  clear() {
    this.states.clear();
    this.queue = this.direction = this.words = "";
    this.from = this.to = this.outcome = this.agentId = this.minWait = "";
  }

  /** Return the URL query. */
  toString() {
    const parts = {
      view: this.isWallboard ? "wall" : this.isHistory ? "history" : "",
      customer: this.customer,
      state: [...this.states].join(","),
      queue: this.queue,
      direction: this.direction,
      q: this.words.trim(),
      sort: this.sort === "state" ? "" : this.sort,
      order: this.descending ? "desc" : "",
      agents: [...this.agentGroups].join(","),
      agent: this.agentWords.trim(),
      team: this.team,
      from: this.from,
      to: this.to,
      outcome: this.outcome,
      by: this.agentId,
      wait: this.minWait,
      at: this.at,
      call: this.call,
    };
    return new URLSearchParams(Object.entries(parts).filter(([, value]) => value)).toString();
  }

  /** Return the board's calls that match the filters, sorted. @param {Board} board */
  of(board) {
    const words = folded(this.words).split(/\s+/).filter(Boolean);
    const isNumber = numberSearch(this.words, board.dialing);
    const compare = COMPARISONS[this.sort];
    const sign = this.descending ? -1 : 1;
    // If two are equal, the longer one in its state comes first.
    return [...board.calls.values()]
      .filter((call) => this.#matches(call, board, words, isNumber))
      .sort((one, other) => sign * compare(one, other, board) || one.stateSince - other.stateSince || (one.id < other.id ? -1 : 1));
  }

  /** @param {Call} call @param {Board} board @param {string[]} words @param {((number: string) => boolean) | null} isNumber */
  #matches(call, board, words, isNumber) {
    if (this.states.size && !this.states.has(call.state)) return false;
    if (this.queue && call.place?.queueId !== this.queue) return false;
    if (this.direction && call.direction !== this.direction) return false;
    if (!words.length) return true;
    if (isNumber && [call.from, call.to].some(({ number }) => isNumber(number))) return true;
    const texts = [call.from.name, call.from.number, call.to.name, call.to.number, queueOf(call, board), board.agentName(call.agentId), call.stateLabel, call.id];
    const text = folded(texts.join("\n"));
    return words.every((word) => text.includes(word));
  }
}
