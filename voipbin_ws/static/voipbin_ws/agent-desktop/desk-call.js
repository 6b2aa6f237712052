/** One call of an agent: the other party, its phase, and what the event says of the customer. Sans-I/O. */

import { capitalized, displayText, isObject, isText, labelOf, partyOf } from "../shared/call.js";

/** @typedef {{ text?: string, seconds?: number }} Field */

const MAX_FIELDS = 24;
const MAX_ITEMS = 10;
const LABELS = new Map(Object.entries({ wait: "Waited", wait_time: "Waited" })); // Other names are their own labels.
const IN_SECONDS = new Set(["wait", "wait_time"]);

/** @param {string} name */
function fieldLabel(name) {
  return LABELS.get(name) ?? capitalized(displayText(name).replaceAll("_", " ").trim());
}

/** @param {string} name @param {any} value @returns {Field} */
function fieldOf(name, value) {
  if (IN_SECONDS.has(name) && typeof value === "number") return { seconds: value };
  if (typeof value === "boolean") return { text: value ? "yes" : "no" };
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

/** @typedef {"offered" | "dialing" | "talking" | "over"} Phase */

export class DeskCall {
  /** @type {Phase} */ phase = "offered";
  inbound = true;
  party = { number: "", name: "" };
  /** @type {[string, Field][]} */ card = [];
  /** @type {string | null} */ queueId = null;
  /** @type {Outcome | null} */ outcome = null; // How the call ended at this desk.
  isPresumed = false; // Whether its end follows from the agent's status alone.
  isAnnounced = false; // Whether the offer was announced to the agent.

  /** @param {string} id @param {number} at */
  constructor(id, at) {
    this.id = id;
    this.since = at; // When the phase began.
  }

  get displayName() {
    return labelOf(this.party) || "Unknown caller";
  }

  /** Take over the fields of an event. @param {any} data */
  read(data) {
    if (data.direction !== undefined) this.inbound = data.direction !== "outbound";
    const party = partyOf(this.inbound ? data.source : data.destination);
    const name = isObject(data.customer) ? displayText(data.customer.name) : "";
    this.party = { number: party.number || this.party.number, name: name || party.name || this.party.name };
    if (isObject(data.customer) || !this.card.length) this.card = cardOf(data);
    if (isText(data.queue_id)) this.queueId = data.queue_id;
  }

  /** @param {Phase} phase @param {number} at @param {Outcome | null} outcome */
  enter(phase, at, outcome = null) {
    if (this.phase === phase) return;
    this.phase = phase;
    this.since = at;
    this.outcome = outcome;
  }
}
