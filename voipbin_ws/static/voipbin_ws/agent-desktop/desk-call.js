/** One call of an agent: the other party, its phase, and what the event says of the customer. Sans-I/O. */

import { capitalized, isObject, callerName, partyOf } from "../shared/call.js";
import { displayText } from "../shared/text.js";
import { CURRENT_PHASES } from "../shared/state.js";
import { parseTime } from "../shared/time.js";
import { gettext } from "../shared/gettext.js";

/** @typedef {import("../shared/state.js").State} State */
/** @typedef {{ text?: string, seconds?: number }} Field */

const MAX_FIELDS = 24;
const MAX_ITEMS = 10;
const LABELS = new Map(Object.entries({ queue: gettext("Queue"), wait: gettext("Waited"), wait_time: gettext("Waited"), previous_calls: gettext("Previous calls"), last_purchase: gettext("Last purchase") })); // Other names are their own labels.
const IN_SECONDS = new Set(["wait", "wait_time"]);

/** @param {string} name */
function fieldLabel(name) {
  return LABELS.get(name) ?? capitalized(displayText(name).replaceAll("_", " ").trim());
}

/** @param {string} name @param {any} value @returns {Field} */
function fieldOf(name, value) {
  if (IN_SECONDS.has(name) && typeof value === "number") return { seconds: value };
  if (typeof value === "boolean") return { text: value ? gettext("yes") : gettext("no") };
  if (Array.isArray(value)) return { text: value.map(displayText).filter(Boolean).slice(0, MAX_ITEMS).join(", ") };
  return { text: displayText(isObject(value) ? JSON.stringify(value) : value) };
}

/** Return the fields of the customer's card, by label. @param {any} data */
function cardOf(data) {
  const customer = isObject(data.customer) ? data.customer : {};
  /** @type {Map<string, Field>} */
  const fields = new Map();
  const add = (/** @type {string} */ name, /** @type {unknown} */ value) => {
    const label = fieldLabel(name);
    if (value === null || value === undefined || value === "" || fields.has(label) || fields.size >= MAX_FIELDS) return;
    const content = fieldOf(name, value);
    if (label && content.text !== "") fields.set(label, content);
  };
  add("queue", customer.queue ?? data.queue_name);
  add("wait", customer.wait ?? data.wait_time);
  for (const name of ["previous_calls", "last_purchase"]) add(name, customer[name]);
  for (const [name, value] of Object.entries(customer)) if (name !== "name") add(name, value);
  return [...fields];
}

/** Return how long a call lasted since its answer, in milliseconds; `null` if that is not known. @param {State} state */
function durationOf({ data, endedAt }) {
  if (typeof data.duration === "number" && data.duration >= 0) return data.duration * 1000;
  const answered = parseTime(data.tm_answer);
  const ended = parseTime(endedAt);
  return answered === null || ended === null ? null : Math.max(0, ended - answered);
}

/** @typedef {"offered" | "dialing" | "talking" | "over"} Phase */
/** @typedef {import("../shared/resource-state.js").States} States */

/** What a desk shows of a call: it follows from the states of the call and its places alone. */
export class DeskCall {
  /** @type {Phase} */ phase = "over";
  /** @type {Outcome | null} */ outcome = null; // How the call ended at this desk.
  /** @type {number | null} */ duration = null; // Since the answer, in milliseconds.

  /** @param {string} id @param {any} data @param {number} since When the phase began. */
  constructor(id, data, since) {
    this.id = id;
    this.since = since;
    this.inbound = data.direction !== "outbound";
    const party = partyOf(this.inbound ? data.source : data.destination);
    const name = isObject(data.customer) ? displayText(data.customer.name) : "";
    this.party = { number: party.number, name: name || party.name };
    this.card = cardOf(data);
    this.disposition = displayText(data.disposition);
    this.note = typeof data.note === "string" ? data.note : "";
  }

  /** Return an agent's call; `null` if the agent has not had it. @param {string} id @param {string} agentId @param {States} states */
  static of(id, agentId, states) {
    const state = states.get("call", id);
    const own = state?.agents[agentId];
    if (!state || !own) return null;
    const places = states.placesOf(id).map((known) => known.state);
    const [phase, since] = own;
    const isOver = !state.live || !CURRENT_PHASES.has(phase);
    // The queue may know the caller before the call's own events do; a page that was just loaded does not know places that were left.
    const source = places.find(({ live, data }) => (live || isOver) && data.source !== undefined)?.data.source;
    const call = new DeskCall(id, { ...(source !== undefined && { source }), ...state.data }, parseTime(since) ?? 0);
    call.duration = durationOf(state);
    if (isOver) call.outcome = outcomeOf(phase, since, places);
    else if (phase === "talking") call.phase = "talking";
    else call.phase = call.inbound ? "offered" : "dialing";
    return call;
  }

  get displayName() {
    return callerName(this.party);
  }

  /** Whether the agent talks on the call, or did. */
  get isHandled() {
    return this.phase === "talking" || (this.phase === "over" && !this.isMissed);
  }

  get isMissed() {
    return this.outcome === "missed" || this.outcome === "abandoned";
  }
}

/** Return how a call ended for an agent. @param {string} phase @param {string} since @param {State[]} places @returns {Outcome} */
function outcomeOf(phase, since, places) {
  const left = places.find(({ live, endedAt, eventType }) => !live && endedAt === since && eventType === "queue.left");
  const reason = left?.data.reason;
  if (reason === "transferred" || reason === "voicemail") return reason;
  if (phase === "missed") return reason === "abandoned" ? "abandoned" : "missed";
  if (phase === "abandoned") return "abandoned";
  return phase === "left" ? "transferred" : "ended";
}
