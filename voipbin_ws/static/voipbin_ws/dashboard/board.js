/** The live calls, queues and agents of a customer, computed from state and events. Sans-I/O. */

import { Call, isId, STATES } from "../shared/call.js";
import { displayText } from "../shared/text.js";
import { QueueFigures } from "./figures.js";
import { States } from "../shared/resource-state.js";
import { parseTime } from "../shared/time.js";
import { gettext } from "../shared/gettext.js";

/** @typedef {{ id: string, name: string, status: string, since: number, teams: string[] }} BoardAgent */
/** @typedef {{ id: string, name: string, agentIds: string[] | null }} BoardQueue */

/** Return the call whose state or place has this address, or "". @param {import("../shared/resource-state.js").Key} key */
function callOf({ resource, resourceId, memberId }) {
  return resource === "call" ? resourceId : memberId;
}

export class Board {
  /** What is shown of each call, replaced with each change. @type {Map<string, Call>} */ calls = new Map();
  /** @type {Map<string, BoardAgent>} */ agents = new Map();
  /** @type {Map<string, BoardQueue>} */ queues = new Map();
  /** @type {Map<string, string>} */ dispositions = new Map(); // The labels of how calls went, by code.
  figures = new QueueFigures();
  /** @type {Set<string>} */ changed = new Set(); // Ids of the calls that have changed since `takeChanged`.
  hadCalls = false; // Whether there ever was a call.
  /** @type {Dialing | null} */ dialing = null; // How the customer's region dials.
  isIncomplete = false; // Whether the state must be loaded again: a call is live that had seemed to be over.
  #states = new States();
  /** @type {Map<string, BoardAgent>} */ #ownAgents = new Map(); // Of the answer of /v1.0/me.
  /** @type {Map<string, BoardQueue>} */ #ownQueues = new Map();
  #hasNamedAgents = false; // Whether there are agents that only events of calls name.

  /**
   * Start again from the answer of /v1.0/me and the items of /v1.0/resources/…. The figures of queues follow as events.
   * @param {{ me: Pick<Me, "queues" | "agents" | "dialing" | "desk">, calls: any[], queues: any[], agents: any[], hadCalls?: boolean }} content @param {number} now
   */
  load({ me, calls, queues, agents, hadCalls = false }, now) {
    for (const id of this.calls.keys()) this.changed.add(id);
    const ending = [...this.calls.values()].filter((call) => call.state === "ended");
    Object.assign(this, new Board(), { changed: this.changed });
    this.#states = new States();
    this.dialing = me.dialing ?? null;
    this.hadCalls = hadCalls;
    this.dispositions = new Map(me.desk?.dispositions.map(({ code, label }) => [code, label]));
    this.#ownQueues = new Map(me.queues.map(({ id, name, agent_ids = null }) => [id, { id, name: displayText(name), agentIds: agent_ids }]));
    this.#ownAgents = new Map();
    for (const { id, name, role, status, status_changed_at, teams = [] } of me.agents) {
      const since = parseTime(status_changed_at) ?? now;
      if (role === "agent") this.#ownAgents.set(id, { id, name: displayText(name), status: displayText(status), since, teams: teams.map(displayText) });
    }
    const items = Object.entries({ call: calls, queue: queues, agent: agents }).flatMap(([resource, found]) => found.map((item) => this.#states.load(item, resource)));
    for (const id of new Set(items.map(callOf))) if (id) this.#update(id, now);
    this.#arrangeQueues();
    this.#arrangeAgents();
    // Ended calls stay until they have faded out.
    for (const call of ending) if (!this.calls.has(call.id)) this.calls.set(call.id, call);
  }

  /** Apply an event. One that the state already contains, or a second time, changes nothing. @param {GatewayEvent} event @param {number} now */
  apply(event, now) {
    if (event.active && !this.#states.get("call", event.topic.split(":")[3])) this.isIncomplete = true;
    const changed = this.#states.apply(event);
    for (const callId of new Set(changed.map(callOf))) if (callId) this.#update(callId, now);
    if (changed.some(({ resource, resourceId }) => resource === "queue" && !this.#ownQueues.has(resourceId))) this.#arrangeQueues();
    const namesUnknown = this.#hasNamedAgents || (event.data.agent_name && !this.agents.has(event.data.agent_id));
    if (changed.some(({ resource }) => resource === "agent" || (resource === "call" && namesUnknown))) this.#arrangeAgents();
  }

  /** Compute what is shown of a call. @param {string} id @param {number} now */
  #update(id, now) {
    const call = new Call(id, this.#states);
    const shown = this.calls.get(id);
    // The call had ended before this page knew of it.
    if (call.state === "ended" && !shown) return this.#states.forgetCall(id);
    if (call.state === "ended") call.forgetFrom = shown?.forgetFrom ?? now;
    this.hadCalls = true;
    this.calls.set(id, call);
    this.changed.add(id);
  }

  /** Compute the queues: the customer's, and others that have calls. */
  #arrangeQueues() {
    this.queues = new Map(this.#ownQueues);
    for (const { key, state } of this.#states.of("queue")) {
      const known = this.queues.get(key.resourceId);
      if (!state.live || !key.memberId || known?.name) continue;
      this.queues.set(key.resourceId, { id: key.resourceId, name: displayText(state.data.queue_name), agentIds: null });
    }
  }

  /** Compute the agents: the customer's, those of whom there are events, and those that only events of calls name. */
  #arrangeAgents() {
    const agents = new Map(this.#ownAgents);
    for (const { key, state } of this.#states.of("agent")) {
      const id = key.resourceId;
      const own = agents.get(id);
      const status = displayText(state.status) || (own?.status ?? "");
      const since = parseTime(state.statusSince || state.since) ?? 0;
      if (state.live && isId(id)) agents.set(id, { id, name: own?.name || displayText(state.data.name) || this.agentName(id), status, since, teams: own?.teams ?? [] });
    }
    this.#hasNamedAgents = false;
    for (const { state } of this.#states.of("call")) {
      const { agent_id: id, agent_name: name } = state.data;
      if (!state.live || !isId(id) || !displayText(name) || agents.has(id)) continue;
      agents.set(id, { id, name: displayText(name), status: "", since: parseTime(state.since) ?? 0, teams: [] });
      this.#hasNamedAgents = true;
    }
    this.agents = agents;
  }

  /** Return the ids of the calls that have changed since the last time. */
  takeChanged() {
    const changed = this.changed;
    this.changed = new Set();
    return changed;
  }

  /** Remove the calls whose end this page received before `before`. @param {number} before */
  forgetEnded(before) {
    for (const { id, forgetFrom } of this.calls.values()) {
      if (forgetFrom === null || forgetFrom >= before) continue;
      this.calls.delete(id);
      this.#states.forgetCall(id);
    }
  }

  /** @param {string | null | undefined} id */
  agentName(id) {
    return id ? (this.agents.get(id)?.name ?? gettext("Agent {id}", { id: id.slice(0, 8) })) : "";
  }

  /** @param {string | null | undefined} id */
  queueName(id) {
    return id ? this.queues.get(id)?.name || gettext("Queue {id}", { id: id.slice(0, 8) }) : "";
  }

  /** Return a copy that later events do not change. */
  copy() {
    const copy = new Board();
    copy.calls = new Map(this.calls);
    copy.agents = this.agents;
    copy.queues = this.queues;
    copy.dialing = this.dialing;
    copy.dispositions = this.dispositions;
    copy.figures = this.figures.copy();
    copy.hadCalls = this.hadCalls;
    return copy;
  }

  /** Return the numbers of the calls and agents that are shown. @returns {Summary} */
  summary() {
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
    return { states, active: this.calls.size - states.ended, waiting: states.waiting + states.connecting, oldest, queues, agents };
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
