/** The live calls of a customer, its queues and agents, as events tell of them. Knows no page and no clock of its own. */

import { Call, isEnd, isId, displayText, STATES } from "../shared/call.js";
import { ServiceLevel } from "./service-level.js";
import { parseTime } from "../shared/time.js";
import { Trends } from "./trends.js";

export class Board {
  constructor() {
    this.calls = new Map();
    this.agents = new Map(); // id -> { id, name, status, since }
    this.queues = new Map(); // id -> { id, name, agentIds }
    this.level = new ServiceLevel();
    this.trends = new Trends();
    this.changed = new Set(); // ids of calls that changed since they were last taken
    this.peopleChanged = true;
    this.hadCalls = false; // in what is known of the last hour, or since
    this.#seenIds = null;
  }

  #seenIds; // ids of the events heard while the last hour is not known yet; null once it is

  /** Begin anew with the present state: `me` of /v1.0/me, items of /v1.0/resources/…. The last hour is not known then. */
  load({ me, calls, queues, agents }, now) {
    for (const id of this.calls.keys()) this.changed.add(id);
    const ending = [...this.calls.values()].filter((call) => call.state === "ended");
    this.calls = new Map();
    this.agents = new Map();
    this.queues = new Map(me.queues.map(({ id, name, agent_ids = null }) => [id, { id, name: displayText(name), agentIds: agent_ids }]));
    this.level = new ServiceLevel();
    this.trends = new Trends();
    this.hadCalls = false;
    this.#seenIds = new Set();
    for (const { id, name, role, status, status_changed_at } of me.agents) {
      if (role !== "agent") continue;
      this.agents.set(id, { id, name: displayText(name), status: displayText(status), since: parseTime(status_changed_at) ?? now });
    }
    for (const item of agents) this.#applyAgent(item.resource_id, item.data, parseTime(item.updated_at) ?? now);
    for (const item of calls) {
      const call = this.#call(item.resource_id, parseTime(item.since) ?? now);
      call.read(item.data);
      this.#nameAgent(call, item.data);
      const began = call.status === "ringing" ? call.startedAt : null;
      const answered = parseTime(item.data.tm_progressing) ?? parseTime(item.data.tm_answer);
      call.updateState((call.status === "answered" ? answered : began) ?? parseTime(item.updated_at) ?? now);
    }
    for (const item of queues) {
      // A member whose call is not active is of a call that has ended.
      if (this.calls.has(item.member_id)) this.#applyQueue(item.resource_id, item.event_type.split(".")[1], item.data, parseTime(item.since) ?? now);
    }
    // Those that were fading away go on doing so.
    for (const call of ending) if (!this.calls.has(call.id)) this.calls.set(call.id, call);
    this.peopleChanged = true;
  }

  /** What happened in the hour before the state was loaded, in any order; `since` is from when on it is complete. */
  remember(events, since, now) {
    const unseen = events.filter(({ id }) => !this.#seenIds?.has(id));
    this.#seenIds = null;
    for (const event of unseen) this.level.take(event);
    this.level.since = since;
    this.hadCalls ||= events.some(({ event_type }) => event_type === "call.ended");
    this.trends.rebuild(events, this, since, now);
  }

  /** Whether `remember` was called since the last `load`. */
  get knowsLastHour() {
    return this.#seenIds === null;
  }

  /** Take in one event. Doing so twice, or with one that the loaded state already knew, changes nothing but the level. */
  apply(event, now) {
    const [resource, action] = event.event_type.split(".", 2);
    const data = event.data;
    if (data === null || typeof data !== "object") return;
    this.#seenIds?.add(event.id);
    const at = Math.min(parseTime(event.timestamp) ?? now, now);
    const id = event.topic.split(":")[3];
    if (resource === "call") this.#applyCall(id, action, data, at, now);
    else if (resource === "queue") {
      this.#applyQueue(id, action, data, at);
      this.level.take(event);
    } else if (resource === "agent" && action === "status") this.#applyAgent(id, data, at);
  }

  #applyCall(id, action, data, at, now) {
    // It may have been over before this page knew of it.
    if (!this.calls.has(id) && isEnd(action, data)) return;
    const call = this.#call(id, at);
    if (!call.apply(action, data, at)) return;
    this.#nameAgent(call, data);
    if (call.endedAt !== null) call.forgetFrom = now;
    this.changed.add(id);
  }

  #call(id, at) {
    let call = this.calls.get(id);
    if (!call) {
      call = new Call(id, at);
      this.calls.set(id, call);
      this.changed.add(id);
      this.hadCalls = true;
    }
    return call;
  }

  /** An agent of whom only calls tell. */
  #nameAgent({ agentId, startedAt }, data) {
    if (agentId && data.agent_name && !this.agents.has(agentId)) this.#applyAgent(agentId, { name: data.agent_name }, startedAt);
  }

  #applyQueue(queueId, action, data, at) {
    if (!isId(data.call_id)) return;
    if (action === "left" && !this.calls.has(data.call_id)) return;
    const call = this.#call(data.call_id, at);
    if (!call.applyQueue(queueId, action, data, at)) return;
    this.changed.add(call.id);
    if (this.queues.has(queueId) || action === "left") return;
    this.queues.set(queueId, { id: queueId, name: displayText(data.queue_name), agentIds: null });
    this.peopleChanged = true;
  }

  #applyAgent(id, data, at) {
    if (!isId(id)) return;
    const agent = this.agents.get(id) ?? { id, name: "", status: "", since: at };
    agent.name ||= displayText(data.name) || `Agent ${id.slice(0, 8)}`;
    if (typeof data.status === "string" && displayText(data.status) !== agent.status) {
      agent.status = displayText(data.status);
      agent.since = at;
    }
    this.agents.set(id, agent);
    this.peopleChanged = true;
  }

  /** The ids of calls that changed, once. */
  takeChanged() {
    const changed = this.changed;
    this.changed = new Set();
    return changed;
  }

  /** Let go of calls of whose end this page learned before `before`. */
  forgetEnded(before) {
    for (const { id, endedAt, forgetFrom } of this.calls.values()) {
      if (endedAt !== null && forgetFrom < before) this.calls.delete(id);
    }
  }

  agentName(id) {
    return id ? (this.agents.get(id)?.name ?? `Agent ${id.slice(0, 8)}`) : "";
  }

  queueName(id) {
    return id ? this.queues.get(id)?.name || `Queue ${id.slice(0, 8)}` : "";
  }

  /** The board as it is now, which later events do not change. */
  copy() {
    const copy = new Board();
    copy.calls = new Map([...this.calls].map(([id, call]) => [id, call.copy()]));
    copy.agents = new Map([...this.agents].map(([id, agent]) => [id, { ...agent }]));
    copy.queues = new Map(this.queues);
    copy.level = this.level.copy();
    copy.trends = this.trends.copy();
    copy.hadCalls = this.hadCalls;
    if (!this.knowsLastHour) copy.#seenIds = new Set();
    return copy;
  }

  /** What the cards and side panels show. */
  summary(now) {
    const states = Object.fromEntries(STATES.map((state) => [state, 0]));
    const queues = new Map([...this.queues].map(([id, { agentIds }]) => [id, { waiting: 0, talking: 0, oldest: null, ...this.#serving(agentIds) }]));
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
    for (const { status } of this.agents.values()) agents[presence(status)] += 1;
    return { states, active: this.calls.size - states.ended, waiting: states.waiting + states.connecting, oldest, queues, agents, level: this.level.figures(now) };
  }

  /** How many agents serve a queue, and how many of them are available; null where nobody told. */
  #serving(agentIds) {
    if (!agentIds) return { serving: null, available: null };
    const here = agentIds.filter((id) => this.agents.has(id));
    return { serving: here.length, available: here.filter((id) => this.agents.get(id).status === "available").length };
  }
}

/** What a status comes to: available, busy, away or offline. Platforms have more words for being away. */
export function presence(status) {
  if (status === "available") return "available";
  if (status === "busy" || status === "ringing") return "busy";
  return status === "" || status === "offline" ? "offline" : "away";
}
