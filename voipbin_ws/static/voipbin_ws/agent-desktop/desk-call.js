/** One call at an agent's desk: who it is with, how far it is, and the customer's card. */

import { isText, partyOf, displayText } from "../shared/call.js";

const MAX_FIELDS = 24;
const LABELS = new Map([
  ["queue", "Queue"],
  ["wait", "Waited"],
  ["wait_time", "Waited"],
  ["previous_calls", "Previous calls"],
  ["last_purchase", "Last purchase"],
]);
const IN_SECONDS = new Set(["wait", "wait_time"]);

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function labelOf(name) {
  const words = displayText(name).replaceAll("_", " ").trim();
  return LABELS.get(name) ?? words.charAt(0).toUpperCase() + words.slice(1);
}

function valueOf(name, value) {
  if (IN_SECONDS.has(name) && typeof value === "number") return { seconds: value };
  if (typeof value === "boolean") return { text: value ? "yes" : "no" };
  if (Array.isArray(value)) return { text: value.map(displayText).filter(Boolean).slice(0, 10).join(", ") };
  return { text: isObject(value) ? displayText(JSON.stringify(value)) : displayText(value) };
}

/** What the customer's card shows: every field that the event has of the customer, as [label, { text } or { seconds }]. */
function cardOf(data) {
  const customer = isObject(data.customer) ? data.customer : {};
  const fields = new Map();
  const add = (name, value) => {
    const label = labelOf(name);
    if (value === null || value === undefined || value === "" || fields.has(label) || fields.size >= MAX_FIELDS) return;
    const content = valueOf(name, value);
    if (label && content.text !== "") fields.set(label, content);
  };
  add("queue", customer.queue ?? data.queue_name);
  add("wait", customer.wait ?? data.wait_time);
  for (const name of ["previous_calls", "last_purchase"]) add(name, customer[name]);
  for (const [name, value] of Object.entries(customer)) if (name !== "name") add(name, value);
  return [...fields];
}

/** A call at this desk. `phase`: offered, dialing, talking, over; `outcome` is how it ended here. */
export class DeskCall {
  constructor(id, at) {
    this.id = id;
    this.phase = "offered";
    this.since = at; // of the phase
    this.inbound = true;
    this.party = { number: "", name: "" };
    this.card = [];
    this.queueId = null;
    this.outcome = null;
    this.isPresumed = false; // its end was concluded, and nobody has told of it
    this.offers = 0; // grows each time it is offered
  }

  get displayName() {
    return this.party.name || this.party.number || "Unknown caller";
  }

  read(data) {
    if (data.direction !== undefined) this.inbound = data.direction !== "outbound";
    const party = partyOf(this.inbound ? data.source : data.destination);
    const name = isObject(data.customer) ? displayText(data.customer.name) : "";
    this.party = { number: party.number || this.party.number, name: name || party.name || this.party.name };
    if (isObject(data.customer) || !this.card.length) this.card = cardOf(data);
    if (isText(data.queue_id)) this.queueId = data.queue_id;
  }

  become(phase, at, outcome = null) {
    if (this.phase === phase) return;
    this.phase = phase;
    this.since = at;
    this.outcome = outcome;
  }
}
