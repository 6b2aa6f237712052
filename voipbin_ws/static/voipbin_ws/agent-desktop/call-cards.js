/** The cards of the agent's calls: what is known of the customer, and what can be done with the call. */

import { acceptCall, hangUp, sendToVoicemail, transferCall } from "./requests.js";
import { element, PartList, setText } from "../shared/dom.js";
import { duration } from "../shared/time.js";

const PHASES = { offered: "Ringing", dialing: "Dialing", talking: "Talking" };
const SHAPES = { offered: "shape-ringing", dialing: "shape-dialing", talking: "shape-talking" };
const ORDER = Object.keys(PHASES);
const UNDER_WAY_MS = 5000;
const ACTIONS = {
  accept: { phases: ["offered"], usual: "Accept", doing: "Accepting…", act: (call) => acceptCall(call.id) },
  voicemail: { phases: ["offered", "talking"], usual: "Voicemail", doing: "Sending…", act: (call) => sendToVoicemail(call.id) },
  transfer: { phases: ["talking"], usual: "Transfer", doing: "Transferring…", act: (call, card) => transferCall(call.id, target(card)) },
  hangup: { phases: ["talking", "dialing"], usual: "Hang up", doing: "Hanging up…", act: (call) => hangUp(call.id) },
};

function target(card) {
  const [type, id] = card.querySelector("select").value.split(" ", 2);
  return { type, id };
}

export class CallCards {
  #list = new PartList(element("calls"), element("call-card"));
  #cards = new WeakMap();
  #targets = [];
  #available = { available: false, reason: "" };
  #requests = new Map(); // call id -> { action, error }: what was asked for and not yet seen

  constructor({ desk, liveData, changed }) {
    this.desk = desk;
    this.liveData = liveData;
    this.changed = changed;
    addEventListener("keydown", (event) => {
      if (event.altKey && !event.ctrlKey && !event.metaKey && event.code === "KeyA") this.#acceptFirst(event);
    });
  }

  /** Begin anew: `actions` is what /v1.0/actions says, `me` what /v1.0/me says. */
  load({ me, actions }) {
    this.#available = actions;
    this.#requests.clear();
    const queues = me.queues.map(({ id, name }) => [`queue ${id}`, name]);
    const colleagues = me.agents.filter(({ id, role }) => id !== me.agent.id && role === "agent").map(({ id, name }) => [`agent ${id}`, name]);
    this.#targets = [["Queues", queues], ["Colleagues", colleagues]].filter(([, options]) => options.length);
    for (const { element: card } of this.#list.parts.values()) this.#fillTargets(card.querySelector("select"));
  }

  clear() {
    this.#requests.clear();
    this.#list.arrange([], () => {});
  }

  show(now) {
    const { calls: live, status } = this.desk;
    const calls = [...live.values()].sort((one, other) => ORDER.indexOf(one.phase) - ORDER.indexOf(other.phase) || one.since - other.since);
    for (const id of this.#requests.keys()) if (!live.has(id)) this.#requests.delete(id);
    this.#list.arrange(calls.map(({ id }) => id), (part, id) => this.#wire(part.element, id));
    for (const call of calls) {
      const part = this.#list.parts.get(call.id);
      part.attribute("data-call", call.id);
      part.attribute("data-phase", call.phase);
      part.attribute("aria-label", `${PHASES[call.phase]}: ${call.displayName}`);
      part.text("phase", PHASES[call.phase]);
      part.shape(0, SHAPES[call.phase]);
      part.text("time", duration(now - call.since));
      part.text("name", call.displayName);
      part.text("number", call.party.name ? call.party.number : "");
      part.text("direction", call.inbound ? "Inbound" : "Outbound");
      this.#showCard(part.element.querySelector("dl"), call.card);
      this.#showControls(part.element, call);
    }
    element("no-call").hidden = calls.length > 0;
    setText(element("no-call-text"), textFor(status.word));
  }

  #showCard(list, card) {
    if (this.#cards.get(list) === card) return;
    this.#cards.set(list, card);
    const rows = card.map(([label, content]) => {
      const row = document.createElement("div");
      const name = document.createElement("dt");
      const value = document.createElement("dd");
      name.textContent = label;
      name.dir = value.dir = "auto";
      value.textContent = content.text ?? duration(content.seconds * 1000);
      row.append(name, value);
      return row;
    });
    list.replaceChildren(...rows);
    list.hidden = rows.length === 0;
  }

  #showControls(card, call) {
    const request = this.#requests.get(call.id);
    const hadFocus = card.contains(document.activeElement);
    const isBlocked = !this.#available.available || !this.liveData.isLive;
    for (const [name, { phases, usual, doing }] of Object.entries(ACTIONS)) {
      const button = card.querySelector(`[data-act="${name}"]`);
      const isBusy = this.#isUnderWay(call) && request.action === name;
      setText(button, isBusy ? doing : usual);
      // One takes a call that rings, and hangs up the others.
      if (name === "accept") button.hidden = call.phase !== "offered";
      if (name === "hangup") button.hidden = call.phase === "offered";
      button.disabled = isBlocked || !phases.includes(call.phase) || this.#isUnderWay(call);
    }
    const select = card.querySelector("select");
    const transfer = card.querySelector('[data-act="transfer"]');
    select.disabled = transfer.disabled;
    transfer.disabled ||= select.options.length === 0;
    setText(card.querySelector(".why"), this.#available.available ? (this.liveData.isLive ? "" : "Calls cannot be handled until the connection is back.") : this.#available.reason);
    setText(card.querySelector(".error"), request?.error ?? "");
    // Who works by keys must not be thrown out of the card with the button that they pressed.
    const focused = /** @type {HTMLButtonElement} */ (document.activeElement);
    if (hadFocus && (focused === document.body || focused.hidden || focused.disabled)) card.focus();
  }

  #wire(card, id) {
    const why = card.querySelector(".why");
    why.id = `why-${id}`;
    this.#fillTargets(card.querySelector("select"));
    for (const name of Object.keys(ACTIONS)) {
      const button = card.querySelector(`[data-act="${name}"]`);
      button.setAttribute("aria-describedby", why.id);
      button.addEventListener("click", () => this.#request(name, id, card));
    }
  }

  #fillTargets(select) {
    const chosen = select.value;
    select.replaceChildren(
      ...this.#targets.map(([label, options]) => {
        const group = document.createElement("optgroup");
        group.label = label;
        group.append(...options.map(([value, name]) => new Option(name, value)));
        return group;
      }),
    );
    if (chosen) select.value = chosen;
  }

  /** Whether something was asked for that has not shown yet. */
  #isUnderWay(call) {
    const request = this.#requests.get(call.id);
    return request?.action !== undefined && request.phase === call.phase;
  }

  async #request(action, id, card) {
    const call = this.desk.calls.get(id);
    if (!call || this.#isUnderWay(call)) return;
    const request = { action, phase: call.phase };
    this.#requests.set(id, request);
    this.changed();
    try {
      await ACTIONS[action].act(call, card);
      // Its event changes the call. Should it not come, one may try again.
      setTimeout(() => this.#forget(id, request), UNDER_WAY_MS);
    } catch (error) {
      if (error.status === 401) this.liveData.refused(error.message);
      if (this.#requests.get(id) === request) this.#requests.set(id, { error: error.message });
    }
    this.changed();
  }

  #forget(id, request) {
    if (this.#requests.get(id) !== request) return;
    this.#requests.delete(id);
    this.changed();
  }

  #acceptFirst(event) {
    /** @type {HTMLButtonElement} */
    const offered = document.querySelector('[data-phase="offered"] [data-act="accept"]:not(:disabled)');
    if (!offered) return;
    event.preventDefault();
    offered.click();
  }
}

function textFor(status) {
  if (status === "available") return "You are available: the next call for you rings here.";
  if (status === "ringing" || status === "busy") return "A call is on its way to you.";
  return `You get no calls while you are ${status || "offline"}. Choose Available above when you are ready.`;
}
