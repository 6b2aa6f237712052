/** The history: a search for calls of the past, their table, its CSV file and its print. */

import { chosenDays, csvOf, dateBefore, dateOf, historyQuery, OUTCOMES, pastCall } from "../call-history.js";
import { read } from "../../shared/auth.js";
import { callerName, DIRECTIONS, labelOf } from "../../shared/call.js";
import { descendant, element, field, offerChoices, PartList, setShown, setTexts } from "../../shared/dom.js";
import { gettext, ngettext } from "../../shared/gettext.js";
import { shownDateAndTime, duration, timeOfDay } from "../../shared/time.js";

/** @typedef {import("../call-history.js").PastCall} PastCall */

const PAGE = "100";
const LARGE_PAGE = "1000";
const MAX_EMPTY_PAGES = 20; // The search goes on by itself over as many pages without a match.
const MAX_EXPORTED = 50_000;

/** Filters by the id of their fields. @type {Record<string, "words" | "from" | "to" | "queue" | "agentId" | "outcome" | "direction" | "minWait">} */
const FIELDS = {
  "history-words": "words", "history-from": "from", "history-to": "to", "history-queue": "queue",
  "history-agent": "agentId", "history-outcome": "outcome", "history-direction": "direction", "history-wait": "minWait",
};

export class HistoryPanel {
  #viewOptions;
  #board;
  #changed;
  #liveData;
  #rows = new PartList(element("history-rows"), element("history-row"));
  /** @type {Map<string, PastCall>} */ #calls = new Map(); // In their order.
  /** @type {Me | null} */ #me = null;
  #query = ""; // Of the shown calls.
  #generation = 0;
  /** @type {string | null} */ #next = null;
  #opened = "";
  #lastOpened = "";

  /**
   * @param {ViewOptions} viewOptions @param {Board} board @param {LiveData} liveData
   * @param {{ open: (id: string) => void, changed: () => void }} callbacks `changed` is called when the options have changed.
   */
  constructor(viewOptions, board, liveData, { open, changed }) {
    this.#viewOptions = viewOptions;
    this.#board = board;
    this.#liveData = liveData;
    this.#changed = changed;
    element("history-outcome").append(...[...OUTCOMES].map(([value, label]) => new Option(label, value)));
    for (const [id, name] of Object.entries(FIELDS)) element(id).addEventListener("change", () => this.#choose({ [name]: field(id).value }));
    for (const [id, days] of Object.entries({ "history-today": 0, "history-yesterday": 1 })) {
      element(id).addEventListener("click", () => this.#choose({ from: days ? this.#yesterday : "", to: "" }));
    }
    element("history-form").addEventListener("submit", (event) => {
      event.preventDefault();
      viewOptions.words = field("history-words").value;
      this.#query = "";
      changed();
    });
    element("history-more").addEventListener("click", () => this.#loadMore());
    element("history-export").addEventListener("click", () => this.#export());
    element("history-print").addEventListener("click", () => print());
    element("history-rows").addEventListener("click", ({ target }) => {
      const id = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest("[data-past-call]"))?.dataset.pastCall;
      if (id && getSelection()?.type !== "Range") open(id);
    });
  }

  get #yesterday() {
    return dateBefore(dateOf(this.#liveData.now));
  }

  /** @param {Partial<ViewOptions>} chosen */
  #choose(chosen) {
    Object.assign(this.#viewOptions, chosen);
    this.#changed();
  }

  /** Take over the account, and forget the calls of another. @param {Me | null} me */
  load(me) {
    this.#me = me;
    this.#forget();
    this.#query = "";
    if (me && this.#viewOptions.isHistory) this.show();
  }

  #forget() {
    this.#generation += 1;
    this.#calls.clear();
    this.#rows.arrange([]);
    this.#next = null;
  }

  /** Show the calls of the present options, if the history is chosen. */
  show() {
    const { isHistory } = this.#viewOptions;
    setShown({ history: isHistory });
    setTexts({ "history-button": isHistory ? gettext("Live calls") : gettext("History") });
    if (!isHistory || !this.#me) return;
    this.#offer();
    const [first, last] = chosenDays(this.#viewOptions, this.#liveData.now);
    for (const [id, name] of Object.entries(FIELDS)) if (field(id).value !== this.#viewOptions[name]) field(id).value = this.#viewOptions[name];
    field("history-from").value = first;
    field("history-to").value = last;
    const today = dateOf(this.#liveData.now);
    for (const [id, day] of Object.entries({ "history-today": today, "history-yesterday": this.#yesterday })) {
      element(id).setAttribute("aria-pressed", String(first === day && last === day));
    }
    const query = JSON.stringify(this.#parameters);
    if (query === this.#query) return;
    this.#query = query;
    this.#forget();
    this.#loadMore();
  }

  get #parameters() {
    return { ...historyQuery(this.#viewOptions, this.#liveData.now, this.#board.dialing), customer_id: this.#me?.customer.id ?? "" };
  }

  /** Offer the customer's queues and agents. */
  #offer() {
    const board = this.#board;
    const { queue, agentId } = this.#viewOptions;
    offerChoices("history-queue", gettext("All queues"), [...board.queues.keys()].map((id) => [board.queueName(id), id]), [board.queueName(queue), queue]);
    offerChoices("history-agent", gettext("All agents"), [...board.agents.values()].map(({ id, name }) => [name, id]), [board.agentName(agentId), agentId]);
  }

  /** Read a page. @param {string} query @param {string} limit @param {string | null} next @returns {Promise<{ calls: PastCall[], next: string | null }>} */
  async #read(query, limit, next) {
    for (let empty = 0; ; empty += 1) {
      const { content } = await read("/v1.0/calls", { ...JSON.parse(query), limit, ...(next && { next }) });
      next = content.next;
      if (content.items.length || !next || empty >= MAX_EMPTY_PAGES) return { calls: content.items.map((/** @type {any} */ item) => pastCall(item, this.#board)), next };
    }
  }

  async #loadMore() {
    const generation = this.#generation;
    setTexts({ "history-note": gettext("Searching…"), "history-error": "" });
    field("history-more").disabled = true;
    try {
      const { calls, next } = await this.#read(this.#query, PAGE, this.#next);
      if (generation !== this.#generation) return;
      for (const call of calls) this.#calls.set(call.id, call);
      this.#next = next;
      this.#render();
    } catch (error) {
      if (generation !== this.#generation) return;
      if (error.isUnauthorized) this.#liveData.endSession(error.message);
      setTexts({ "history-note": "", "history-error": gettext("Cannot read the calls: {reason}", { reason: error.message }) });
    } finally {
      field("history-more").disabled = false;
    }
  }

  #render() {
    const [first, last] = chosenDays(this.#viewOptions, this.#liveData.now);
    this.#rows.arrange([...this.#calls.keys()], (part, id) => this.#fill(part, /** @type {PastCall} */ (this.#calls.get(id)), first !== last));
    const count = this.#calls.size;
    const time = timeOfDay(this.#liveData.now);
    const found = this.#next ? ngettext("{count} call and more, as of {time}.", "{count} calls and more, as of {time}.", count, { time }) : ngettext("{count} call, as of {time}.", "{count} calls, as of {time}.", count, { time });
    setTexts({ "history-note": count || this.#next ? found : gettext("No calls match, as of {time}.", { time }), "history-days": first === last ? first : gettext("{first} to {last}", { first, last }) });
    setShown({ "history-more": this.#next !== null, "history-table": count > 0 });
    field("history-export").disabled = field("history-print").disabled = count === 0;
    this.markOpen(this.#opened);
  }

  /** @param {Part} part @param {PastCall} call @param {boolean} hasDates */
  #fill(part, { id, startedAt, endedAt, direction, from, to, queues, agents, outcome, outcomeLabel, waitMs }, hasDates) {
    part.attributes({ "data-past-call": id, "data-outcome": outcome });
    part.texts({ started: hasDates ? shownDateAndTime(startedAt) : timeOfDay(startedAt), direction: DIRECTIONS.get(direction) ?? direction });
    const isOutbound = direction === "outbound";
    part.texts({ fromName: isOutbound ? from.name : labelOf(from) ? from.name : callerName(from), from: from.number, toName: to.name, to: to.number });
    part.texts({ queue: queues.join(", "), agent: agents.join(", "), outcome: outcomeLabel });
    part.texts({ wait: waitMs === null ? "" : duration(waitMs), total: endedAt === null ? "" : duration(endedAt - startedAt) });
  }

  /** Mark the row whose timeline is open. @param {string} id "" for none. */
  markOpen(id) {
    for (const each of [this.#opened, id]) this.#rows.parts.get(each)?.attributes({ "data-open": each === id && id ? "" : null });
    this.#opened = id;
    if (id) this.#lastOpened = id;
  }

  /** Focus the row whose timeline was open, or the search. */
  focus() {
    const part = this.#rows.parts.get(this.#lastOpened);
    (part ? descendant(part.element, ".open") : element("history-words")).focus({ preventScroll: true });
  }

  /** Save all calls that match as a file. */
  async #export() {
    const button = field("history-export");
    button.disabled = true;
    setTexts({ "history-error": "", "history-export": gettext("Exporting…") });
    try {
      // Of the search at the click: another one can follow.
      const query = this.#query;
      const [first, last] = chosenDays(this.#viewOptions, this.#liveData.now);
      const calls = [...this.#calls.values()];
      for (let next = this.#next; next && calls.length < MAX_EXPORTED; ) {
        const page = await this.#read(query, LARGE_PAGE, next);
        calls.push(...page.calls);
        next = page.next;
        if (next && calls.length >= MAX_EXPORTED) setTexts({ "history-error": gettext("The file has the newest {count} calls. Choose fewer days for the others.", { count: calls.length }) });
      }
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      save(`calls-${first === last ? first : `${first}-to-${last}`}.csv`, csvOf(calls, zone));
    } catch (error) {
      if (error.isUnauthorized) this.#liveData.endSession(error.message);
      setTexts({ "history-error": gettext("Cannot export the calls: {reason}", { reason: error.message }) });
    } finally {
      setTexts({ "history-export": gettext("Export CSV") });
      button.disabled = this.#calls.size === 0;
    }
  }
}

/** Let the browser save a text as a file. @param {string} name @param {string} text */
function save(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  // The browser has begun to read it when the click returns.
  setTimeout(() => URL.revokeObjectURL(link.href), 0);
}
