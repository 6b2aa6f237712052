/** One call as events tell of it: who speaks with whom, where it waits, what it is doing. Knows no page and no clock. */

import { parseTime } from "./time.js";

/** What a call is doing, in the order of how soon somebody must do something about it. */
export const STATES = Object.freeze(["waiting", "connecting", "ringing", "dialing", "talking", "answered", "other", "ended"]);

export const DIRECTIONS = new Map([
  ["inbound", "Inbound"],
  ["outbound", "Outbound"],
]);

const STATUS_STATES = new Map([
  ["dialing", "dialing"],
  ["ringing", "ringing"],
  ["answered", "answered"],
  ["progressing", "answered"],
  ["hangup", "ended"],
]);
const MAX_TEXT = 200;

/** Text of an event for a person to read: one line, not endless; what is no text is none. */
export function displayText(value) {
  if (typeof value === "number") return String(value);
  if (typeof value !== "string") return "";
  // eslint-disable-next-line no-control-regex
  const line = value.slice(0, MAX_TEXT * 2).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}…` : line;
}

export function isText(value) {
  return typeof value === "string" && value !== "";
}

export function isId(value) {
  return isText(value) && !/^[0-]+$/.test(value);
}

/** Somebody's number and name, in whatever way an event names them. */
export function partyOf(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return { number: displayText(value), name: "" };
  const number = displayText(value.target);
  const name = displayText(value.target_name) || displayText(value.name);
  return { number, name: name === number ? "" : name };
}

/** The agent whom an event's data names; empty where it says that there is none, null where it says nothing of that. */
function agentOf(data) {
  if (data.agent_id !== undefined) return isId(data.agent_id) ? data.agent_id : "";
  return data.owner_type === "agent" && isId(data.owner_id) ? data.owner_id : null;
}

function capital(word) {
  return word === "" ? "" : word[0].toUpperCase() + word.slice(1);
}

/** Whether an event of a call's own is its last. */
export function isEnd(action, data) {
  return action === "ended" || data.status === "hangup";
}

/** Everything in it is text or numbers, ready to be shown as text. */
export class Call {
  constructor(id, at) {
    this.id = id;
    this.status = "";
    this.direction = "";
    this.from = { number: "", name: "" };
    this.to = { number: "", name: "" };
    this.agentId = null;
    this.place = null; // { queueId, since, connectedAt }: where it waits or was connected from
    this.startedAt = at;
    this.endedAt = null;
    this.forgetFrom = null; // when this page learned of its end
    this.state = "other";
    this.stateSince = at;
  }

  get stateLabel() {
    return this.state === "other" ? capital(this.status) || "Unknown" : capital(this.state);
  }

  /** The call as it is now, which later events do not change. */
  copy() {
    return Object.assign(new Call(this.id, this.startedAt), this);
  }

  /** What the call's own events say. */
  read(data) {
    if (typeof data.status === "string") this.status = displayText(data.status);
    if (data.direction !== undefined) this.direction = displayText(data.direction);
    if (data.source !== undefined) this.from = partyOf(data.source);
    if (data.destination !== undefined) this.to = partyOf(data.destination);
    const agentId = agentOf(data);
    if (agentId !== null) this.agentId = agentId || null;
    this.startedAt = parseTime(data.tm_create) ?? this.startedAt;
  }

  /** Take in an event of the call's own; whether it was news. */
  apply(action, data, at) {
    if (this.state === "ended") return false;
    this.read(data);
    if (isEnd(action, data)) this.endedAt = at;
    this.updateState(at);
    return true;
  }

  /** Take in an event of a queue where it waits, is offered to an agent, or comes from; whether it was news. */
  applyQueue(queueId, action, data, at) {
    if (this.state === "ended") return false;
    if (action === "left") return this.#leave(data, at);
    if (data.source !== undefined && !this.from.number) this.from = partyOf(data.source);
    const isSame = this.place?.queueId === queueId && this.place.connectedAt === null;
    const since = parseTime(data.tm_join) ?? (isSame ? this.place.since : at);
    const connectedAt = parseTime(data.tm_connect) ?? (action === "connected" ? at : (this.place?.connectedAt ?? null));
    this.place = { queueId, since, connectedAt: action === "joined" ? null : connectedAt };
    if (isId(data.agent_id)) this.agentId = data.agent_id;
    else if (action === "joined") this.agentId = null;
    this.updateState(this.place.connectedAt ?? at);
    return true;
  }

  #leave(data, at) {
    if (!this.place) return false;
    if (isId(data.queue_id) && data.queue_id !== this.place.queueId) return false; // It is in another one by now.
    this.place = null;
    this.updateState(at);
    return true;
  }

  /** What its parts come to. `at` is when that began, should it be new. */
  updateState(at) {
    let state = STATUS_STATES.get(this.status) ?? "other";
    if (this.endedAt !== null) state = "ended";
    else if ((this.place?.connectedAt ?? null) !== null) state = "talking";
    else if (this.place) state = this.agentId ? "connecting" : "waiting";
    else if (state === "answered" && this.agentId) state = "talking";
    if (state !== this.state) {
      this.state = state;
      this.stateSince = state === "waiting" ? this.place.since : at;
    }
  }
}
