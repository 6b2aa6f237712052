/** The cards of the agent's calls: the customer's fields, and the buttons that act on the call. */

import { actOnCall } from "../shared/requests.js";
import { descendant, element, field, Part, PartList, setShown, setText, setTexts } from "../shared/dom.js";
import { gettext } from "../shared/gettext.js";
import { filledAddress } from "./fill-in.js";
import { RevealedNumbers } from "../shared/reveal.js";
import { read } from "../shared/auth.js";
import { statusName } from "../shared/call.js";
import { isMasked } from "../shared/masked.js";
import { canonicalNumber } from "../shared/phone-number.js";
import { displayText } from "../shared/text.js";
import { duration } from "../shared/time.js";

/** @typedef {keyof typeof ACTIONS} ActionName */
/** @typedef {{ action: ActionName, phase: string } | { error: string, phase: string }} ActionRequest An error is of the phase in which the request was made. */

const PHASES = { offered: gettext("Ringing"), dialing: gettext("Dialing"), talking: gettext("Talking"), over: "" };
const SHAPES = { offered: "shape-ringing", dialing: "shape-dialing", talking: "shape-talking", over: "" };
const ORDER = Object.keys(PHASES);
const EVENT_WITHIN_MS = 5000;
const ACTIONS = {
  accept: { phases: ["offered"], usual: gettext("Accept"), doing: gettext("Accepting…") },
  voicemail: { phases: ["offered", "talking"], usual: gettext("Voicemail"), doing: gettext("Sending…") },
  transfer: { phases: ["talking"], usual: gettext("Transfer"), doing: gettext("Transferring…") },
  hangup: { phases: ["talking", "dialing"], usual: gettext("Hang up"), doing: gettext("Hanging up…") },
};
const TO_NUMBER = "tel";
const TARGETS_AGE_MS = 15_000;
const STATUS_ORDER = ["available", "ringing", "busy", "away", "offline"];
const NAMES = /** @type {ActionName[]} */ (Object.keys(ACTIONS));

/** @param {HTMLElement} card @param {ActionName} action */
function buttonOf(card, action) {
  return descendant(card, `[data-act="${action}"]`);
}

export class CallCards {
  #list = new PartList(element("calls"), element("call-card"));
  /** @type {WeakMap<Element, DeskCall["card"]>} */ #shownFields = new WeakMap();
  /** @type {{ label: string, options: string[][] }[]} */ #targets = [];
  #targetsReadAt = 0;
  #crmUrl = "";
  #revealed = new RevealedNumbers("calls");
  /** @type {Dialing | null} */ #dialing = null;
  #earlier;
  /** @type {Actions} */ #actions = { available: false, reason: "", message: false };
  /** @type {Map<string, ActionRequest>} */ #requests = new Map(); // By call id, until the event of the action or an error.
  #desk;
  #liveData;
  #changed;

  /**
   * @param {{ desk: Desk, liveData: LiveData, earlier: import("./earlier-calls.js").EarlierCalls, ready: () => void, changed: () => void }} parts
   *   `ready` makes the agent available.
   */
  constructor({ desk, liveData, earlier, ready, changed }) {
    this.#earlier = earlier;
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
    this.#revealed.load(me);
    this.#crmUrl = me.desk?.crm_url ?? "";
    this.#dialing = me.dialing ?? null;
    this.#readTargets();
  }

  clear() {
    this.#requests.clear();
    this.#earlier.clear();
    this.#list.arrange([]);
  }

  /** Read to whom calls can be transferred: colleagues with their statuses, and queues. */
  async #readTargets() {
    this.#targetsReadAt = performance.now();
    try {
      const { content } = await read("/v1.0/transfer-targets");
      const place = (/** @type {Agent} */ { status = "" }) => STATUS_ORDER.indexOf(status);
      const agents = content.agents.sort((/** @type {Agent} */ one, /** @type {Agent} */ other) => place(one) - place(other));
      const colleagues = agents.map((/** @type {Agent} */ { id, name, status }) => [`${displayText(name)} (${statusName(status ?? "")})`, `agent ${id}`]);
      const queues = content.queues.map((/** @type {Queue} */ { id, name }) => [displayText(name), `queue ${id}`]);
      const groups = [{ label: gettext("Queues"), options: queues }, { label: gettext("Colleagues"), options: colleagues }].filter(({ options }) => options.length);
      if (JSON.stringify(groups) === JSON.stringify(this.#targets)) return;
      this.#targets = groups;
      for (const { element: card } of this.#list.parts.values()) this.#fillTargets(card);
    } catch (error) {
      console.warn(error); // They are read again with the next call.
    }
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
      part.texts({ phase: PHASES[call.phase], time: duration(now - call.since), direction: call.inbound ? gettext("Inbound") : gettext("Outbound") });
      const revealed = this.#revealed.of(call.id)?.number;
      part.texts({ name: call.displayName, number: revealed ?? (call.party.name ? call.party.number : "") });
      descendant(part.element, "[data-reveal]").hidden = !this.#revealed.canReveal(call.id, call.party.number);
      part.shape(0, SHAPES[call.phase]);
      this.#showFields(descendant(part.element, "dl"), call.card);
      this.#earlier.show(part.element, call.id);
      this.#showLink(descendant(part.element, ".crm"), call);
      this.#showControls(part.element, call);
    }
    const isChoosing = document.activeElement instanceof HTMLSelectElement;
    const isOld = performance.now() - this.#targetsReadAt > TARGETS_AGE_MS;
    if (isOld && !isChoosing && calls.some(({ phase }) => phase === "talking")) this.#readTargets();
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

  /** @param {Element} link @param {DeskCall} call */
  #showLink(link, { id, party, displayName }) {
    const number = canonicalNumber(this.#revealed.of(id)?.number ?? party.number, this.#dialing);
    const isUsable = !isMasked(number) || !this.#crmUrl.includes("{number}");
    const address = this.#crmUrl && isUsable && filledAddress(this.#crmUrl, { number, call_id: id, name: party.name ? displayName : "" });
    const shown = /** @type {HTMLAnchorElement} */ (link);
    shown.hidden = !address;
    if (address && shown.getAttribute("href") !== address) shown.href = address;
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
    const number = descendant(card, ".transfer input");
    number.hidden = select.value !== TO_NUMBER;
    number.disabled = transfer.disabled;
    transfer.disabled ||= select.value === TO_NUMBER && !number.value.trim();
    setText(descendant(card, ".why"), !available ? reason : this.#liveData.isLive ? "" : gettext("You cannot act on calls until the connection is restored."));
    setText(descendant(card, ".error"), request && "error" in request && request.phase === call.phase ? request.error : "");
    // The card keeps the focus when the pressed button is hidden or disabled.
    const focused = /** @type {HTMLButtonElement} */ (document.activeElement);
    if (hadFocus && (focused === document.body || focused.hidden || focused.disabled)) card.focus();
  }

  /** @param {HTMLElement} card @param {string} id */
  #prepare(card, id) {
    const why = descendant(card, ".why");
    why.id = `why-${id}`;
    this.#fillTargets(card);
    descendant(card, ".transfer").addEventListener("input", () => this.#changed());
    descendant(card, "[data-reveal]").addEventListener("click", () => this.#reveal(id, card));
    for (const name of NAMES) {
      const button = buttonOf(card, name);
      button.setAttribute("aria-describedby", why.id);
      button.addEventListener("click", () => this.#act(name, id, card));
    }
  }

  /** @param {string} id @param {HTMLElement} card */
  async #reveal(id, card) {
    try {
      await this.#revealed.reveal(id);
      card.focus(); // The button is hidden now.
    } catch (error) {
      if (error.isUnauthorized) this.#liveData.endSession(error.message);
      this.#requests.set(id, { error: error.message, phase: this.#desk.calls.get(id)?.phase ?? "" });
    }
    this.#changed();
  }

  /** @param {HTMLElement} card */
  #fillTargets(card) {
    const select = /** @type {HTMLSelectElement} */ (card.querySelector("select"));
    const chosen = select.options.length > 1 ? select.value : ""; // Without targets nothing was chosen.
    const groups = this.#targets.map(({ label, options }) => {
      const group = document.createElement("optgroup");
      group.label = label;
      group.append(...options.map(([name, value]) => new Option(name, value)));
      return group;
    });
    select.replaceChildren(...groups, new Option(gettext("A number…"), TO_NUMBER));
    if (chosen && [...select.options].some(({ value }) => value === chosen)) select.value = chosen;
  }

  /** Return the chosen target of a transfer. @param {HTMLElement} card */
  #targetOf(card) {
    const [type, id] = descendant(card, "select").value.split(" ", 2);
    return { type, id: id ?? canonicalNumber(descendant(card, ".transfer input").value, this.#dialing) };
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
      await actOnCall(id, action, action === "transfer" ? { to: this.#targetOf(card) } : {});
      // The event of the action changes the call. If it does not come, the agent can try again.
      setTimeout(() => {
        if (this.#requests.get(id) !== request) return;
        this.#requests.delete(id);
        this.#changed();
      }, EVENT_WITHIN_MS);
    } catch (error) {
      if (error.isUnauthorized) this.#liveData.endSession(error.message);
      if (this.#requests.get(id) === request) this.#requests.set(id, { error: error.message, phase: call.phase });
    }
    this.#changed();
  }
}

/** @param {Desk} desk @param {number} now */
function textFor({ presence, recent }, now) {
  const { status, since } = presence;
  if (status === "available") return gettext("You are available. Your next call rings here.");
  if (status === "ringing") return gettext("A call is on its way to you.");
  if (status === "busy") {
    // The wrap-up begins with the end of the call.
    const isWrapUp = recent.length > 0 && recent[0].since >= (since ?? 0);
    const time = isWrapUp ? gettext("Wrap-up: {time}.", { time: duration(now - recent[0].since) }) : gettext("You are busy.");
    return `${time} ${gettext("The next call comes when you are available.")}`;
  }
  return gettext("You get no calls while you are {status}. Choose Available above when you are ready.", { status: statusName(status || "offline") });
}
