/** The live calls, queues and agents of a customer, computed from state and events. Sans-I/O. */

import { Call, displayText, isEnd, isId, STATES } from "../shared/call.js";
import { ServiceLevel } from "./service-level.js";
import { parseTime } from "../shared/time.js";
import { Trends } from "./trends.js";

/** @typedef {{ id: string, name: string, status: string, since: number }} BoardAgent */

export class Board {
  /** @type {Map<string, Call>} */ calls = new Map();
  /** @type {Map<string, BoardAgent>} */ agents = new Map();
  /** @type {Map<string, { id: string, name: string, agentIds: string[] | null }>} */ queues = new Map();
  level = new ServiceLevel();
  trends = new Trends();
  /** @type {Set<string>} */ changed = new Set(); // Ids of the calls that have changed since `takeChanged`.
  peopleChanged = true;
  hadCalls = false; // Whether there was a call within what is known of the last hour, or since.
  /** @type {Set<string> | null} */ #seenIds = null; // Ids of the events since `load`; `null` once the last hour is known.

  /**
   * Start again from the answer of /v1.0/me and the items of /v1.0/resources/…. The last hour is unknown until `remember`.
   * @param {{ me: Pick<Me, "queues" | "agents">, calls: any[], queues: any[], agents: any[] }} content @param {number} now
   */
  load({ me, calls, queues, agents }, now) {
    for (const id of this.calls.keys()) this.changed.add(id);
    const ending = [...this.calls.values()].filter((call) => call.state === "ended");
    Object.assign(this, new Board(), { changed: this.changed });
    this.queues = new Map(me.queues.map(({ id, name, agent_ids = null }) => [id, { id, name: displayText(name), agentIds: agent_ids }]));
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
      // The call of a member may have ended, and is then not among the active calls.
      if (this.calls.has(item.member_id)) this.#applyQueue(item.resource_id, item.event_type.split(".")[1], item.data, parseTime(item.since) ?? now);
    }
    // Ended calls stay until they have faded out.
    for (const call of ending) if (!this.calls.has(call.id)) this.calls.set(call.id, call);
  }

  /** Add the hour before the state was loaded. @param {GatewayEvent[]} events In any order, complete since `since`. @param {number} since @param {number} now */
  remember(events, since, now) {
    const unseen = events.filter(({ id }) => !this.#seenIds?.has(id));
    this.#seenIds = null;
    for (const event of unseen) this.level.add(event);
    this.level.since = since;
    this.hadCalls ||= events.some(({ event_type }) => event_type === "call.ended");
    this.trends.rebuild(events, this, since, now);
  }

  /** Whether `remember` was called since the last `load`. */
  get knowsLastHour() {
    return this.#seenIds === null;
  }

  /** Apply an event. An event that the state already contains, or a second time, changes only the level. @param {GatewayEvent} event @param {number} now */
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
      this.level.add(event);
    } else if (resource === "agent" && action === "status") this.#applyAgent(id, data, at);
  }

  /** @param {string} id @param {string} action @param {any} data @param {number} at @param {number} now */
  #applyCall(id, action, data, at, now) {
    // The call may have ended before this page knew of it.
    if (!this.calls.has(id) && isEnd(action, data)) return;
    const call = this.#call(id, at);
    if (!call.apply(action, data, at)) return;
    this.#nameAgent(call, data);
    if (call.endedAt !== null) call.forgetFrom = now;
    this.changed.add(id);
  }

  /** @param {string} id @param {number} at */
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

  /** Add an agent that only events of calls name. @param {Call} call @param {any} data */
  #nameAgent({ agentId, startedAt }, data) {
    if (agentId && data.agent_name && !this.agents.has(agentId)) this.#applyAgent(agentId, { name: data.agent_name }, startedAt);
  }

  /** @param {string} queueId @param {string} action @param {any} data @param {number} at */
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

  /** @param {unknown} id @param {any} data @param {number} at */
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

  /** Return the ids of the calls that have changed since the last time. */
  takeChanged() {
    const changed = this.changed;
    this.changed = new Set();
    return changed;
  }

  /** Remove the calls whose end this page received before `before`. @param {number} before */
  forgetEnded(before) {
    for (const { id, forgetFrom } of this.calls.values()) if (forgetFrom !== null && forgetFrom < before) this.calls.delete(id);
  }

  /** @param {string | null | undefined} id */
  agentName(id) {
    return id ? (this.agents.get(id)?.name ?? `Agent ${id.slice(0, 8)}`) : "";
  }

  /** @param {string | null | undefined} id */
  queueName(id) {
    return id ? this.queues.get(id)?.name || `Queue ${id.slice(0, 8)}` : "";
  }

  /** Return a copy that later events do not change. */
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

  /** Return the numbers for the cards and the side panels. @param {number} now @returns {Summary} */
  summary(now) {
    const states = Object.fromEntries(STATES.map((state) => [state, 0]));
    /** @type {Map<string, QueueSummary>} */
    const queues = new Map([...this.queues].map(([id, { agentIds }]) => [id, { waiting: 0, talking: 0, oldest: null, ...this.#serving(agentIds) }]));
    let oldest = null;
    for (const { state, place } of this.calls.values()) {
      states[state] += 1;
      if (!place || state === "ended") continue;
      const queue = queues.get(place.queueId);
      if (place.connectedAt !== null) {
        if (queue) queue.talking += 1;
        continue;
      }
      if (queue) queue.waiting += 1;
      if (queue && (queue.oldest === null || place.since < queue.oldest)) queue.oldest = place.since;
      if (oldest === null || place.since < oldest.since) oldest = place;
    }
    const agents = { available: 0, busy: 0, away: 0, offline: 0 };
    for (const { status } of this.agents.values()) agents[presence(status)] += 1;
    return { states, active: this.calls.size - states.ended, waiting: states.waiting + states.connecting, oldest, queues, agents, level: this.level.figures(now) };
  }

  /** Return how many agents serve a queue, and how many of them are available; `null` if its agents are unknown. @param {string[] | null} agentIds */
  #serving(agentIds) {
    if (!agentIds) return { serving: null, available: null };
    const statuses = agentIds.map((id) => this.agents.get(id)?.status).filter((status) => status !== undefined);
    return { serving: statuses.length, available: statuses.filter((status) => status === "available").length };
  }
}

/** Return the kind of a status. Platforms have more words for "away". @param {string} status @returns {keyof AgentCounts} */
export function presence(status) {
  if (status === "available") return "available";
  if (status === "busy" || status === "ringing") return "busy";
  return status === "" || status === "offline" ? "offline" : "away";
}
