/** The live calls of a customer, its queues and agents, as events tell of them. Knows no page and no clock of its own. */

import { parseTime } from "./times.js";

/** What a call is doing, in the order of how soon somebody must do something about it. */
export const STATES = Object.freeze(["waiting", "connecting", "ringing", "dialing", "talking", "answered", "other", "ended"]);

export const ANSWERED_WITHIN_SECONDS = 20;
export const LATE_SECONDS = 60;
export const HARDLY_WAITED_SECONDS = 5;
export const WINDOW_MS = 3_600_000;

const STATUS_STATES = new Map([
  ["dialing", "dialing"],
  ["ringing", "ringing"],
  ["answered", "answered"],
  ["progressing", "answered"],
  ["hangup", "ended"],
]);
const MAX_TEXT = 200;

/** Text of an event for a person to read: one line, not endless; what is no text is none. */
export function shown(value) {
  if (typeof value === "number") return String(value);
  if (typeof value !== "string") return "";
  // eslint-disable-next-line no-control-regex
  const line = value.slice(0, MAX_TEXT * 2).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}…` : line;
}

function isId(value) {
  return typeof value === "string" && value !== "" && !/^[0-]+$/.test(value);
}

function party(value) {
  if (value === null || typeof value !== "object") return { number: shown(value), name: "" };
  const number = shown(value.target);
  const name = shown(value.target_name) || shown(value.name);
  return { number, name: name === number ? "" : name };
}

/** One call. Everything in it is text or numbers, ready to be shown as text. */
class Call {
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

  get stateWord() {
    if (this.state !== "other") return this.state[0].toUpperCase() + this.state.slice(1);
    return this.status ? this.status[0].toUpperCase() + this.status.slice(1) : "Unknown";
  }

  /** What its parts come to. `at` is when that began, should it be new. */
  settle(at) {
    let state = STATUS_STATES.get(this.status) ?? "other";
    if (this.endedAt !== null) state = "ended";
    else if (this.place?.connectedAt != null) state = "talking";
    else if (this.place) state = this.agentId ? "connecting" : "waiting";
    else if (state === "answered" && this.agentId) state = "talking";
    if (state !== this.state) {
      this.state = state;
      this.stateSince = state === "waiting" ? this.place.since : at;
    }
  }
}

export class Board {
  constructor() {
    this.calls = new Map();
    this.agents = new Map(); // id -> { id, name, status, since }
    this.queues = new Map(); // id -> { id, name }
    this.outcomes = []; // { at, answered, waited (seconds) } of callers who waited, oldest first
    this.changed = new Set(); // ids of calls that changed since they were last taken
    this.peopleChanged = true;
    this.#counted = new Set();
  }

  #counted; // ids of the events behind `outcomes`

  /** Begin anew with the present state: `me` of /v1.0/me, items of /v1.0/resources/…, events of the last hour. */
  load({ me, calls, queues, agents, history }, now) {
    for (const id of this.calls.keys()) this.changed.add(id);
    const ending = [...this.calls.values()].filter((call) => call.state === "ended");
    this.calls = new Map();
    this.agents = new Map();
    this.queues = new Map(me.queues.map(({ id, name }) => [id, { id, name: shown(name) }]));
    this.outcomes = [];
    this.#counted = new Set();
    for (const { id, name, role, status, status_changed_at } of me.agents) {
      if (role !== "agent") continue;
      this.agents.set(id, { id, name: shown(name), status: shown(status), since: parseTime(status_changed_at) ?? now });
    }
    for (const item of agents) this.#agent(item.resource_id, item.data, parseTime(item.updated_at) ?? now);
    for (const item of calls) {
      const call = this.#call(item.resource_id, parseTime(item.since) ?? now);
      this.#read(call, item.data);
      const began = call.status === "ringing" ? call.startedAt : null;
      const answered = parseTime(item.data.tm_progressing) ?? parseTime(item.data.tm_answer);
      call.settle((call.status === "answered" ? answered : began) ?? parseTime(item.updated_at) ?? now);
    }
    for (const item of queues) if (item.member_id) this.#place(item.data, item.resource_id, item.event_type, parseTime(item.since) ?? now);
    for (const event of history) this.#outcome(event);
    this.outcomes.sort((one, other) => one.at - other.at);
    // Those that were fading away go on doing so.
    for (const call of ending) if (!this.calls.has(call.id)) this.calls.set(call.id, call);
    this.peopleChanged = true;
  }

  /** Take in one event. Doing so twice, or with one that the loaded state already knew, changes nothing. */
  apply(event, now) {
    const [resource, action] = event.event_type.split(".", 2);
    const data = event.data;
    if (data === null || typeof data !== "object") return;
    const at = Math.min(parseTime(event.timestamp) ?? now, now);
    const id = event.topic.split(":")[3];
    if (resource === "call") this.#callEvent(id, action, data, at, now);
    else if (resource === "queue") {
      if (action === "left") this.#left(data, at);
      else this.#place(data, id, event.event_type, at);
      this.#outcome(event);
    } else if (resource === "agent" && action === "status") this.#agent(id, data, at);
  }

  #callEvent(id, action, data, at, now) {
    const isOver = action === "ended" || data.status === "hangup";
    const known = this.calls.get(id);
    if (isOver && !known) return; // It was over before this page knew of it.
    if (known?.state === "ended") return;
    const call = known ?? this.#call(id, at);
    this.#read(call, data);
    if (isOver) {
      call.endedAt = at;
      call.forgetFrom = now;
    }
    call.settle(at);
    this.changed.add(id);
  }

  #call(id, at) {
    let call = this.calls.get(id);
    if (!call) {
      call = new Call(id, at);
      this.calls.set(id, call);
    }
    this.changed.add(id);
    return call;
  }

  #read(call, data) {
    if (typeof data.status === "string") call.status = shown(data.status);
    if (data.direction !== undefined) call.direction = shown(data.direction);
    if (data.source !== undefined) call.from = party(data.source);
    if (data.destination !== undefined) call.to = party(data.destination);
    if (data.agent_id !== undefined) call.agentId = isId(data.agent_id) ? data.agent_id : null;
    else if (data.owner_type === "agent" && isId(data.owner_id)) call.agentId = data.owner_id;
    if (call.agentId && data.agent_name && !this.agents.has(call.agentId)) this.#agent(call.agentId, { name: data.agent_name }, call.startedAt);
    call.startedAt = parseTime(data.tm_create) ?? call.startedAt;
  }

  /** A call joined a queue, is offered to an agent there, or talks to one. */
  #place(data, queueId, eventType, at) {
    if (!isId(data.call_id)) return;
    const call = this.calls.get(data.call_id) ?? this.#call(data.call_id, at);
    if (call.state === "ended") return;
    this.#queue(queueId, data);
    if (data.source !== undefined && !call.from.number) call.from = party(data.source);
    const isSame = call.place?.queueId === queueId && call.place.connectedAt === null;
    const since = parseTime(data.tm_join) ?? (isSame ? call.place.since : at);
    const connectedAt = parseTime(data.tm_connect) ?? (eventType === "queue.connected" ? at : (call.place?.connectedAt ?? null));
    call.place = { queueId, since, connectedAt: eventType === "queue.joined" ? null : connectedAt };
    if (isId(data.agent_id)) call.agentId = data.agent_id;
    else if (eventType === "queue.joined") call.agentId = null;
    call.settle(call.place.connectedAt ?? at);
    this.changed.add(call.id);
  }

  #left(data, at) {
    const call = this.calls.get(data.call_id);
    if (!call || call.state === "ended" || !call.place) return;
    if (isId(data.queue_id) && data.queue_id !== call.place.queueId) return; // It is in another one by now.
    call.place = null;
    call.settle(at);
    this.changed.add(call.id);
  }

  #queue(id, data) {
    if (!this.queues.has(id)) {
      this.queues.set(id, { id, name: shown(data.queue_name) || `Queue ${id.slice(0, 8)}` });
      this.peopleChanged = true;
    }
  }

  #agent(id, data, at) {
    if (!isId(id)) return;
    const agent = this.agents.get(id) ?? { id, name: "", status: "", since: at };
    agent.name ||= shown(data.name) || `Agent ${id.slice(0, 8)}`;
    if (typeof data.status === "string" && shown(data.status) !== agent.status) {
      agent.status = shown(data.status);
      agent.since = at;
    }
    this.agents.set(id, agent);
    this.peopleChanged = true;
  }

  /** How waiting ended, for the service level. */
  #outcome(event) {
    const answered = event.event_type === "queue.connected";
    const abandoned = event.event_type === "queue.left" && /^abandon/.test(event.data.reason ?? "");
    if ((!answered && !abandoned) || this.#counted.has(event.id)) return;
    const at = parseTime(event.timestamp);
    const joined = parseTime(event.data.tm_join);
    const waited = event.data.wait_time ?? (joined === null || at === null ? null : (at - joined) / 1000);
    if (at === null || typeof waited !== "number") return;
    if (event.id) this.#counted.add(event.id);
    this.outcomes.push({ at, answered, waited, id: event.id });
  }

  /** The ids of calls that changed, once. */
  takeChanged() {
    const changed = this.changed;
    this.changed = new Set();
    return changed;
  }

  /** Let go of calls of whose end this page learned before `before`; returns their ids. */
  forgetEnded(before) {
    const gone = [...this.calls.values()].filter((call) => call.endedAt !== null && call.forgetFrom < before);
    for (const { id } of gone) this.calls.delete(id);
    return gone.map(({ id }) => id);
  }

  agentName(id) {
    return id ? (this.agents.get(id)?.name ?? `Agent ${id.slice(0, 8)}`) : "";
  }

  queueName(id) {
    return id ? (this.queues.get(id)?.name ?? `Queue ${id.slice(0, 8)}`) : "";
  }

  /** What the cards and side panels show. */
  summary(now) {
    const states = Object.fromEntries(STATES.map((state) => [state, 0]));
    const queues = new Map([...this.queues.keys()].map((id) => [id, { waiting: 0, talking: 0, oldest: null }]));
    let oldest = null;
    for (const call of this.calls.values()) {
      states[call.state] += 1;
      if (!call.place || call.state === "ended") continue;
      const queue = queues.get(call.place.queueId);
      if (call.place.connectedAt !== null) {
        if (queue) queue.talking += 1;
        continue;
      }
      if (queue) queue.waiting += 1;
      if (queue && (queue.oldest === null || call.place.since < queue.oldest)) queue.oldest = call.place.since;
      if (oldest === null || call.place.since < oldest.place.since) oldest = call;
    }
    const agents = { available: 0, busy: 0, away: 0, offline: 0 };
    for (const { status } of this.agents.values()) {
      if (status === "available") agents.available += 1;
      else if (status === "busy" || status === "ringing") agents.busy += 1;
      else if (status === "" || status === "offline") agents.offline += 1;
      else agents.away += 1;
    }
    return { states, active: this.calls.size - states.ended, waiting: states.waiting + states.connecting, oldest, queues, agents, ...this.#level(now) };
  }

  #level(now) {
    while (this.outcomes.length && this.outcomes[0].at < now - WINDOW_MS) this.#counted.delete(this.outcomes.shift().id);
    const counted = this.outcomes.filter(({ answered, waited }) => answered || waited >= HARDLY_WAITED_SECONDS);
    const inTime = counted.filter(({ answered, waited }) => answered && waited <= ANSWERED_WITHIN_SECONDS).length;
    const abandoned = counted.filter(({ answered }) => !answered).length;
    const samples = counted.length;
    return { samples, inTime, abandoned, level: samples ? inTime / samples : null, abandonedShare: samples ? abandoned / samples : null };
  }
}
