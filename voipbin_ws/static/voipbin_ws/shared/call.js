/** The state of one call, computed from events: parties, queue, agent and what the call is doing. Sans-I/O. */

import { displayText } from "./text.js";
import { parseTime } from "./time.js";

export { displayText };

/** The states of a call, the most urgent first. */
export const STATES = Object.freeze(["waiting", "connecting", "ringing", "dialing", "talking", "answered", "other", "ended"]);

export const DIRECTIONS = new Map(Object.entries({ inbound: "Inbound", outbound: "Outbound" }));

const STATUS_STATES = new Map(Object.entries({ dialing: "dialing", ringing: "ringing", answered: "answered", progressing: "answered", hangup: "ended" }));

/** Write a word with a capital first letter. @param {string} word */
export function capitalized(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** @param {unknown} value @returns {value is string} */
export function isText(value) {
  return typeof value === "string" && value !== "";
}

/** Return whether a value is an id. VoIPBIN writes an id of zeros for none. @param {unknown} value @returns {value is string} */
export function isId(value) {
  return isText(value) && !/^[0-]+$/.test(value);
}

/** Return whether a value is a JSON object. @param {unknown} value */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Return a party's number and name, in any form that events have. @param {any} value @returns {Party} */
export function partyOf(value) {
  if (!isObject(value)) return { number: displayText(value), name: "" };
  const number = displayText(value.target);
  const name = displayText(value.target_name) || displayText(value.name);
  return { number, name: name === number ? "" : name };
}

/** Return a party's name; the number if there is no name. @param {Party} party */
export const labelOf = ({ name, number }) => name || number;

/** Return the agent of an event's data: "" if there is none, `null` if the event does not say. @param {any} data @returns {string | null} */
function agentOf(data) {
  if (data.agent_id !== undefined) return isId(data.agent_id) ? data.agent_id : "";
  return data.owner_type === "agent" && isId(data.owner_id) ? data.owner_id : null;
}

/** Return whether an event of a call is its last. @param {string} action @param {any} data */
export function isEnd(action, data) {
  return action === "ended" || data.status === "hangup";
}

/** A call. All its fields are numbers, or text that is safe to show as text. Times are milliseconds since the epoch. */
export class Call {
  status = "";
  direction = "";
  /** @type {Party} */ from = { number: "", name: "" };
  /** @type {Party} */ to = { number: "", name: "" };
  /** @type {string | null} */ agentId = null;
  /** The queue in which the call waits, or from which it was connected. @type {{ queueId: string, since: number, connectedAt: number | null } | null} */
  place = null;
  /** @type {number | null} */ endedAt = null;
  /** @type {number | null} */ forgetFrom = null; // When this page received the end.
  state = "other";

  /** @param {string} id @param {number} at When the call was first seen. */
  constructor(id, at) {
    this.id = id;
    this.startedAt = at;
    this.stateSince = at;
  }

  get stateLabel() {
    return this.state === "other" ? capitalized(this.status) || "Unknown" : capitalized(this.state);
  }

  /** Return a copy that later events do not change. */
  copy() {
    return Object.assign(new Call(this.id, this.startedAt), this);
  }

  /** Take over the fields of the call's own events. @param {any} data */
  read(data) {
    if (typeof data.status === "string") this.status = displayText(data.status);
    if (data.direction !== undefined) this.direction = displayText(data.direction);
    if (data.source !== undefined) this.from = partyOf(data.source);
    if (data.destination !== undefined) this.to = partyOf(data.destination);
    const agentId = agentOf(data);
    if (agentId !== null) this.agentId = agentId || null;
    this.startedAt = parseTime(data.tm_create) ?? this.startedAt;
  }

  /** Apply an event of the call, and return whether the call changed. @param {string} action @param {any} data @param {number} at */
  apply(action, data, at) {
    if (this.state === "ended") return false;
    this.read(data);
    if (isEnd(action, data)) this.endedAt = at;
    this.updateState(at);
    return true;
  }

  /** Apply an event of a queue, and return whether the call changed. @param {string} queueId @param {string} action @param {any} data @param {number} at */
  applyQueue(queueId, action, data, at) {
    if (this.state === "ended") return false;
    if (action === "left") {
      // The call may be in another queue by now.
      if (!this.place || (isId(data.queue_id) && data.queue_id !== this.place.queueId)) return false;
      this.place = null;
      this.updateState(at);
      return true;
    }
    if (data.source !== undefined && !this.from.number) this.from = partyOf(data.source);
    const isSame = this.place?.queueId === queueId && this.place.connectedAt === null;
    const since = parseTime(data.tm_join) ?? (this.place && isSame ? this.place.since : at);
    const connectedAt = parseTime(data.tm_connect) ?? (action === "connected" ? at : (this.place?.connectedAt ?? null));
    this.place = { queueId, since, connectedAt: action === "joined" ? null : connectedAt };
    if (isId(data.agent_id)) this.agentId = data.agent_id;
    else if (action === "joined") this.agentId = null;
    this.updateState(this.place.connectedAt ?? at);
    return true;
  }

  /** Compute the state. @param {number} at When a new state began. */
  updateState(at) {
    let state = STATUS_STATES.get(this.status) ?? "other";
    if (this.endedAt !== null) state = "ended";
    else if (this.place && this.place.connectedAt !== null) state = "talking";
    else if (this.place) state = this.agentId ? "connecting" : "waiting";
    else if (state === "answered" && this.agentId) state = "talking";
    if (state === this.state) return;
    this.state = state;
    this.stateSince = this.place && state === "waiting" ? this.place.since : at;
  }
}
