/** The cards of the agent's calls: the customer's fields, and the buttons that act on the call. */

import { actOnCall } from "../shared/requests.js";
import { descendant, element, field, Part, PartList, setShown, setText, setTexts } from "../shared/dom.js";
import { duration } from "../shared/time.js";

/** @typedef {keyof typeof ACTIONS} ActionName */
/** @typedef {{ action: ActionName, phase: string } | { error: string }} ActionRequest */

const PHASES = { offered: "Ringing", dialing: "Dialing", talking: "Talking", over: "" };
const SHAPES = { offered: "shape-ringing", dialing: "shape-dialing", talking: "shape-talking", over: "" };
const ORDER = Object.keys(PHASES);
const EVENT_WITHIN_MS = 5000;
const ACTIONS = {
  accept: { phases: ["offered"], usual: "Accept", doing: "Accepting…" },
  voicemail: { phases: ["offered", "talking"], usual: "Voicemail", doing: "Sending…" },
  transfer: { phases: ["talking"], usual: "Transfer", doing: "Transferring…" },
  hangup: { phases: ["talking", "dialing"], usual: "Hang up", doing: "Hanging up…" },
};
const NAMES = /** @type {ActionName[]} */ (Object.keys(ACTIONS));

/** @param {HTMLElement} card @param {ActionName} action */
function buttonOf(card, action) {
  return descendant(card, `[data-act="${action}"]`);
}

export class CallCards {
  #list = new PartList(element("calls"), element("call-card"));
  /** @type {WeakMap<Element, DeskCall["card"]>} */ #shownFields = new WeakMap();
  /** @type {{ label: string, options: string[][] }[]} */ #targets = [];
  /** @type {Actions} */ #actions = { available: false, reason: "", message: false };
  /** @type {Map<string, ActionRequest>} */ #requests = new Map(); // By call id, until the event of the action or an error.
  #desk;
  #liveData;
  #changed;

  /** @param {{ desk: Desk, liveData: LiveData, ready: () => void, changed: () => void }} parts `ready` makes the agent available. */
  constructor({ desk, liveData, ready, changed }) {
    this.#desk = desk;
    this.#liveData = liveData;
    this.#changed = changed;
    element("ready").addEventListener("click", ready);
    addEventListener("keydown", (event) => {
      if (!event.altKey || event.ctrlKey || event.metaKey || event.code !== "KeyA") return;
      /** @type {HTMLButtonElement | null} */
      const button = document.querySelector('[data-phase="offered"] [data-act="accept"]:not(:disabled)');
      if (!button) return;
      event.preventDefault();
      button.click();
    });
  }

  /** Start again with the permitted actions and the targets of transfers. @param {Me} me @param {Actions} actions */
  load(me, actions) {
    this.#actions = actions;
    this.#requests.clear();
    const queues = me.queues.map(({ id, name }) => [name, `queue ${id}`]);
    const colleagues = me.agents.filter(({ id, role }) => id !== me.agent?.id && role === "agent").map(({ id, name }) => [name, `agent ${id}`]);
    this.#targets = [{ label: "Queues", options: queues }, { label: "Colleagues", options: colleagues }].filter(({ options }) => options.length);
    for (const { element: card } of this.#list.parts.values()) this.#fillTargets(card);
  }

  clear() {
    this.#requests.clear();
    this.#list.arrange([]);
  }

  /** @param {number} now */
  show(now) {
    const { calls: live, presence } = this.#desk;
    const calls = [...live.values()].sort((one, other) => ORDER.indexOf(one.phase) - ORDER.indexOf(other.phase) || one.since - other.since);
    for (const id of this.#requests.keys()) if (!live.has(id)) this.#requests.delete(id);
    this.#list.arrange(calls.map(({ id }) => id), (part, id) => this.#prepare(part.element, id));
    for (const call of calls) {
      const part = this.#list.part(call.id);
      part.attributes({ "data-call": call.id, "data-phase": call.phase, "aria-label": `${PHASES[call.phase]}: ${call.displayName}` });
      part.texts({ phase: PHASES[call.phase], time: duration(now - call.since), direction: call.inbound ? "Inbound" : "Outbound" });
      part.texts({ name: call.displayName, number: call.party.name ? call.party.number : "" });
      part.shape(0, SHAPES[call.phase]);
      this.#showFields(descendant(part.element, "dl"), call.card);
      this.#showControls(part.element, call);
    }
    setShown({ "no-call": calls.length === 0 });
    setTexts({ "no-call-text": textFor(this.#desk, now) });
    setShown({ ready: presence.status === "busy" });
    field("ready").disabled = !this.#liveData.isLive;
  }

  /** @param {HTMLElement} list @param {DeskCall["card"]} fields */
  #showFields(list, fields) {
    if (this.#shownFields.get(list) === fields) return;
    this.#shownFields.set(list, fields);
    const rows = fields.map(([name, { text, seconds = 0 }]) => {
      const row = new Part(element("call-field"));
      row.texts({ name, value: text ?? duration(seconds * 1000) });
      return row.element;
    });
    list.replaceChildren(...rows);
    list.hidden = rows.length === 0;
  }

  /** @param {HTMLElement} card @param {DeskCall} call */
  #showControls(card, call) {
    const request = this.#requests.get(call.id);
    const pending = this.#pendingAction(call);
    const hadFocus = card.contains(document.activeElement);
    const { available, reason } = this.#actions;
    for (const name of NAMES) {
      const { phases, usual, doing } = ACTIONS[name];
      const button = buttonOf(card, name);
      setText(button, pending === name ? doing : usual);
      // A ringing call has Accept, others have Hang up.
      if (name === "accept") button.hidden = call.phase !== "offered";
      if (name === "hangup") button.hidden = call.phase === "offered";
      button.disabled = !available || !this.#liveData.isLive || !phases.includes(call.phase) || pending !== null;
    }
    const select = /** @type {HTMLSelectElement} */ (card.querySelector("select"));
    const transfer = buttonOf(card, "transfer");
    select.disabled = transfer.disabled;
    transfer.disabled ||= select.options.length === 0;
    setText(descendant(card, ".why"), !available ? reason : this.#liveData.isLive ? "" : "You cannot act on calls until the connection is restored.");
    setText(descendant(card, ".error"), request && "error" in request ? request.error : "");
    // The card keeps the focus when the pressed button is hidden or disabled.
    const focused = /** @type {HTMLButtonElement} */ (document.activeElement);
    if (hadFocus && (focused === document.body || focused.hidden || focused.disabled)) card.focus();
  }

  /** @param {HTMLElement} card @param {string} id */
  #prepare(card, id) {
    const why = descendant(card, ".why");
    why.id = `why-${id}`;
    this.#fillTargets(card);
    for (const name of NAMES) {
      const button = buttonOf(card, name);
      button.setAttribute("aria-describedby", why.id);
      button.addEventListener("click", () => this.#act(name, id, card));
    }
  }

  /** @param {HTMLElement} card */
  #fillTargets(card) {
    const select = /** @type {HTMLSelectElement} */ (card.querySelector("select"));
    const chosen = select.value;
    const groups = this.#targets.map(({ label, options }) => {
      const group = document.createElement("optgroup");
      group.label = label;
      group.append(...options.map(([name, value]) => new Option(name, value)));
      return group;
    });
    select.replaceChildren(...groups);
    if (chosen) select.value = chosen;
  }

  /** Return the action that was requested and whose event has not come; `null` if there is none. @param {DeskCall} call */
  #pendingAction(call) {
    const request = this.#requests.get(call.id);
    return request && "action" in request && request.phase === call.phase ? request.action : null;
  }

  /** @param {ActionName} action @param {string} id @param {HTMLElement} card */
  async #act(action, id, card) {
    const call = this.#desk.calls.get(id);
    if (!call || this.#pendingAction(call)) return;
    const request = { action, phase: call.phase };
    this.#requests.set(id, request);
    this.#changed();
    try {
      const [type, target] = descendant(card, "select").value.split(" ", 2);
      await actOnCall(id, action, action === "transfer" ? { to: { type, id: target } } : {});
      // The event of the action changes the call. If it does not come, the agent can try again.
      setTimeout(() => {
        if (this.#requests.get(id) !== request) return;
        this.#requests.delete(id);
        this.#changed();
      }, EVENT_WITHIN_MS);
    } catch (error) {
      if (error.isUnauthorized) this.#liveData.endSession(error.message);
      if (this.#requests.get(id) === request) this.#requests.set(id, { error: error.message });
    }
    this.#changed();
  }
}

/** @param {Desk} desk @param {number} now */
function textFor({ presence, recent }, now) {
  const { status, since } = presence;
  if (status === "available") return "You are available. Your next call rings here.";
  if (status === "ringing") return "A call is on its way to you.";
  if (status === "busy") {
    // The wrap-up begins with the end of the call.
    const isWrapUp = recent.length > 0 && recent[0].since >= (since ?? 0);
    const time = isWrapUp ? `Wrap-up: ${duration(now - recent[0].since)}.` : "You are busy.";
    return `${time} The next call comes when you are available.`;
  }
  return `You get no calls while you are ${status || "offline"}. Choose Available above when you are ready.`;
}
