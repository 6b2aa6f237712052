/** Acting on calls and agents: the permitted actions, the requests, and what is shown of them. */

import { AgentActions } from "./agent-actions.js";
import { CallActions } from "./call-actions.js";
import { Confirmation } from "./confirmation.js";
import { Notice } from "./notice.js";
import { PendingActions, stateOfCall } from "../pending-actions.js";
import { element, setData } from "../../shared/dom.js";
import { gettext } from "../../shared/gettext.js";

/** @typedef {import("./action-menu.js").ActionMenu} ActionMenu */
/** @typedef {{ subject: string, name: string, label: string, before: string, send: () => Promise<any>, done?: (content: any) => string | null }} ActionRequest
 * `done` returns what to say in place of waiting for an event; `null` to wait. */
/**
 * @typedef {object} ActionParts
 * @property {Board} board
 * @property {() => PermittedActions} permitted
 * @property {() => boolean} canAct Whether the shown data is live.
 * @property {() => string} whyNot Why nothing can be done on data that is not live, "" without a reason.
 * @property {() => string} customerId
 * @property {() => Call | null} openCall The call of the open timeline.
 * @property {(id: string) => void} openTimeline
 * @property {PendingActions} pending
 * @property {ActionMenu} menu
 * @property {Confirmation} confirmation
 * @property {Notice} notice
 * @property {(request: ActionRequest) => Promise<void>} perform
 */

/** @type {PermittedActions} */
const NONE = { call: [], agent: [] };

export class PageActions {
  #board;
  #liveData;
  #changed;
  #permitted = NONE;
  #customerId = "";
  #pending = new PendingActions();
  /** @type {Map<string, string>} */ #names = new Map(); // Whom a pending action concerns, by subject.
  #notice = new Notice();
  confirmation = new Confirmation();

  /**
   * @param {{ board: Board, liveData: LiveData, menu: ActionMenu, isPaused: () => boolean, whyNot: () => string, openCall: () => Call | null, openTimeline: (id: string) => void, changed: () => void }} page
   *   `changed` shows the pending actions.
   */
  constructor({ board, liveData, menu, isPaused, whyNot, openCall, openTimeline, changed }) {
    this.#board = board;
    this.#liveData = liveData;
    this.#changed = changed;
    /** @type {ActionParts} */
    const parts = {
      ...{ board, openCall, openTimeline, pending: this.#pending, menu, confirmation: this.confirmation, notice: this.#notice },
      permitted: () => this.#permitted,
      canAct: () => liveData.isLive && !isPaused(),
      whyNot,
      customerId: () => this.#customerId,
      perform: (request) => this.#perform(request),
    };
    this.calls = new CallActions(parts);
    this.agents = new AgentActions(parts);
  }

  /** Take over the permitted actions of the account. @param {PermittedActions} permitted @param {Me} me */
  load(permitted, me) {
    this.#permitted = permitted;
    this.#customerId = me.customer.id;
    setData(element("board"), "acts", permitted.call.length ? "" : null);
    setData(element("board"), "manages", permitted.agent.length ? "" : null);
  }

  clear() {
    this.#pending.clear();
    this.#notice.clear();
    this.calls.close();
    setData(element("board"), "acts", null);
    setData(element("board"), "manages", null);
    this.#permitted = NONE;
  }

  /** Close what has become pointless, and say which events have not come. */
  tick() {
    this.calls.tick();
    this.#pending.settle((subject) => this.#stateOf(subject));
    const overdue = this.#pending.takeOverdue(performance.now());
    for (const subject of overdue) {
      this.#notice.show(this.#names.get(subject) ?? "", gettext("The request was accepted, but nothing has changed yet. Check before you try again."));
    }
    if (overdue.length) this.#changed();
  }

  /** @param {string} subject */
  #stateOf(subject) {
    const [kind, id] = [subject.slice(0, subject.indexOf(" ")), subject.slice(subject.indexOf(" ") + 1)];
    if (kind === "agent") return this.#board.agents.get(id)?.status || "offline";
    const call = this.#board.calls.get(id);
    return call ? stateOfCall(call) : "";
  }

  /** @param {ActionRequest} request */
  async #perform({ subject, name, label, before, send, done }) {
    if (!this.#pending.begin(subject, label, before)) return;
    this.#names.set(subject, name);
    this.#notice.clear();
    this.#changed();
    try {
      const content = await send();
      const text = done?.(content) ?? null;
      if (text === null) this.#pending.accept(subject, performance.now());
      else {
        this.#pending.end(subject);
        this.#notice.show(name, text);
      }
    } catch (error) {
      this.#pending.end(subject);
      if (error.isUnauthorized) this.#liveData.endSession(error.message);
      else this.#notice.show(name, error.message);
    }
    this.#changed();
  }
}
