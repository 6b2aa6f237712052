/** One state: what is known of a resource, its agents and their phases, and whether it is live. Sans-I/O. */

/** @typedef {"offered" | "talking" | "missed" | "left" | "abandoned" | "ended"} Phase What an agent has to do with the resource. */
/** @typedef {[phase: Phase, since: string]} AgentPhase */

export const CURRENT_PHASES = new Set(["offered", "talking"]); // The phases of the agents who have the resource now.
/** @type {Record<string, Phase>} */ const PAST_PHASES = { offered: "missed", talking: "left" };
/** @type {Record<string, Phase>} */ const END_PHASES = { offered: "abandoned", talking: "ended" };
const MAX_AGENTS = 50;
const MAX_DATA_SIZE = 2 ** 18; // The most that a state's data may be, as `sizeOf` counts; the fields of the last event always stay.
// Fields of the data, with those that belong to the value of the former: names, and details of an agent's status.
const NAMES = [["agent_id", "agent_name"], ["queue_id", "queue_name"], ...["away_reason", "returns_at", "set_by", "set_by_name", "cause"].map((name) => ["status", name])];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NIL_UUID = "00000000-0000-0000-0000-000000000000";

/**
 * The state of a resource, or of a call's place in a queue or conference. Times are texts, which compare as the times do.
 * The gateway has the same rules in events/domain/state.py.
 */
export class State {
  live = true;
  eventType = "";
  updatedAt = "";
  /** @type {Record<string, any>} */ data = {};
  status = "";
  statusSince = "";
  /** @type {Record<string, AgentPhase>} */ agents = {};
  namedAt = "";
  endedAt = "";
  inferred = false;
  correctedAt = "";
  truncated = false; // Whether fields of earlier events were dropped.

  /** @param {string} since */
  constructor(since) {
    this.since = since;
  }

  /** Return the state of an item of /v1.0/resources/…. @param {any} item */
  static of({ since, active, event_type: eventType, updated_at: updatedAt, data, state: progress }) {
    const { status = "", status_since: statusSince = "", agents = {}, named_at: namedAt = "", ended_at: endedAt = "" } = progress;
    const { inferred = false, corrected_at: correctedAt = "", truncated = false } = progress;
    const known = { live: active, eventType, updatedAt, data, status, statusSince, agents: { ...agents }, namedAt, endedAt, inferred, correctedAt, truncated };
    return Object.assign(new State(since), known);
  }

  /** Whether it ended, as its source says. */
  get isOver() {
    return this.endedAt !== "" && !this.inferred;
  }

  /** Take over the event's type, time and data. @param {string} eventType @param {any} data @param {string} at */
  read(eventType, data, at) {
    this.eventType = eventType;
    this.updatedAt = at;
    const known = this.data;
    this.data = { ...known, ...data };
    for (const [idField, nameField] of NAMES) {
      // The name is that of the id before.
      if (nameField in known && !(nameField in data) && this.data[idField] !== known[idField]) delete this.data[nameField];
    }
    // By UTF-16 first, which is never less.
    if (sizeOf(this.data, (text) => text.length) > MAX_DATA_SIZE) this.#truncate(data);
  }

  /** Drop the largest fields that the event does not name, until the data is not too large. @param {any} named */
  #truncate(named) {
    /** @type {[name: string, size: number][]} */
    const sizes = Object.entries(this.data).map(([name, value]) => [name, sizeOf({ [name]: value }, charactersIn)]);
    let size = sizes.reduce((sum, [, each]) => sum + each, 0);
    const others = sizes.filter(([name]) => !Object.hasOwn(named, name));
    others.sort(([one, oneSize], [other, otherSize]) => otherSize - oneSize || (one < other ? -1 : 1));
    for (const [name, each] of others) {
      if (size <= MAX_DATA_SIZE) break;
      delete this.data[name];
      size -= each;
      this.truncated = true;
    }
  }
}

/** @param {string} text */
const charactersIn = (text) => [...text].length;

/**
 * Return the size of JSON data: its characters without quotes and most separators. Numbers, true, false and null count as one.
 * @param {any} value @param {(text: string) => number} lengthOf @returns {number}
 */
function sizeOf(value, lengthOf) {
  if (typeof value === "string") return lengthOf(value);
  if (Array.isArray(value)) return value.reduce((sum, each) => sum + 1 + sizeOf(each, lengthOf), 0);
  if (value === null || typeof value !== "object") return 1;
  return Object.entries(value).reduce((sum, [name, each]) => sum + lengthOf(name) + 2 + sizeOf(each, lengthOf), 0);
}

/** Return the agents who have the resource now. @param {State | null | undefined} state */
export function currentAgents(state) {
  if (!state) return [];
  return Object.keys(state.agents).filter((agent) => CURRENT_PHASES.has(state.agents[agent][0]));
}

/**
 * Return the agents whom an event names; `null` if it does not say, [] if there is none. `namedAgents` are those that the
 * publisher named beside the data, `undefined` if it named none.
 * @param {any} data @param {string[]} [namedAgents]
 */
export function namedIn(data, namedAgents) {
  let says = namedAgents !== undefined;
  const found = [];
  if (Object.hasOwn(data, "agent_id")) {
    const agentId = data.agent_id;
    says ||= agentId === null || agentId === "" || isUuid(agentId);
    found.push(agentId);
  } else if (data.owner_type === "agent") found.push(data.owner_id);
  found.push(data.service_agent_id, ...(namedAgents ?? []));
  const agents = [...new Set(found)].filter((each) => isUuid(each) && each !== NIL_UUID);
  return agents.length || says ? agents : null;
}

/**
 * Replace the agents who have the resource: the new ones are offered it, the others lose it. An event that is older than
 * the one that named the present agents changes nothing.
 * @param {State} state @param {string[]} named @param {string} at
 */
export function nameAgents(state, named, at) {
  if (at < state.namedAt) return;
  state.namedAt = at;
  for (const agent of currentAgents(state)) if (!named.includes(agent)) release(state, agent, at);
  for (const agent of named) {
    if (CURRENT_PHASES.has(state.agents[agent]?.[0])) continue;
    delete state.agents[agent];
    state.agents[agent] = ["offered", at];
  }
  forgetOldest(state);
}

/** Take the resource from an agent who has it. @param {State} state @param {string} agent @param {string} at */
export function release(state, agent, at) {
  state.agents[agent] = [PAST_PHASES[state.agents[agent][0]], at];
}

/** End the phases of the agents who have the resource, for it has ended. @param {State} state @param {string} at */
export function endAgents(state, at) {
  for (const agent of currentAgents(state)) state.agents[agent] = [END_PHASES[state.agents[agent][0]], at];
}

/** Give the resource back to the agents who had it when it ended, for it has not. @param {State} state @param {string} at */
export function restoreAgents(state, at) {
  for (const [agent, [phase]] of Object.entries(state.agents)) {
    for (const before of CURRENT_PHASES) if (END_PHASES[before] === phase) state.agents[agent] = [/** @type {Phase} */ (before), at];
  }
}

/** @param {State} state */
function forgetOldest(state) {
  const agents = Object.keys(state.agents);
  const past = agents.filter((agent) => !CURRENT_PHASES.has(state.agents[agent][0]));
  for (const agent of past.slice(0, Math.max(0, agents.length - MAX_AGENTS))) delete state.agents[agent];
}

/** @param {unknown} value @returns {value is string} */
function isUuid(value) {
  return typeof value === "string" && UUID.test(value);
}
