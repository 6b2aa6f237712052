/** The fold: how each event changes the states of resources, calls, and their places. The gateway has the same rules in events/domain/resource_state.py. Sans-I/O. */

import { applyQueueEventToCall, applyToCall, ENDING_ACTIONS, isFinal, NOTE_ACTION } from "./call-state.js";
import { applyToPlace, endPlace } from "./place-state.js";
import { CURRENT_PHASES, nameAgents, namedIn, State } from "./state.js";

/** @typedef {{ resource: string, resourceId: string, memberId: string }} Key The address of a state; `memberId` is the call of a place, or "". */
/** @typedef {{ key: Key, state: State, cursor: string }} Known A state, and the cursor of the last event that changed it. */

/** @typedef {{ eventType: string, action: string, data: any, at: string, namedAgents?: string[], isOver: boolean }} StateEvent `isOver` if the gateway says that the resource has ended. */

const BEGINNING_ACTIONS = new Set(["created", "started"]);
const TEST_ACTION = "test";
const MEMBER_RESOURCES = new Set(["queue", "conference"]);
const FIRST_OF_MESSAGE = new Set(["received", "sent"]);
const FINAL_RESOURCES = new Set(["activeflow", "recording", "transcription"]);

/** @param {Key} key */
const textOf = ({ resource, resourceId, memberId }) => `${resource} ${resourceId} ${memberId}`;

/** Return the call whose place in a queue or conference the event is about, or "". @param {string} resource @param {any} data @returns {string} */
function memberOf(resource, data) {
  return MEMBER_RESOURCES.has(resource) && typeof data.call_id === "string" ? [...data.call_id].slice(0, 128).join("") : "";
}

/** Return the two parts of a cursor: the epoch of its log, and the number. @param {string} cursor @returns {[epoch: string, number: number]} */
function partsOf(cursor) {
  const [epoch, number = ""] = cursor.split(".", 2);
  return [epoch, Number(number)];
}

/** Return whether the event with this cursor is among those up to `known`. @param {string} cursor @param {string} known */
export function isContained(cursor, known) {
  const [epoch, number] = partsOf(cursor);
  const [knownEpoch, knownNumber] = partsOf(known);
  return epoch === knownEpoch && number <= knownNumber;
}

/** Return events in the log's order. @param {GatewayEvent[]} events */
export function inOrder(events) {
  return [...events].sort((one, other) => partsOf(one.cursor)[1] - partsOf(other.cursor)[1]);
}

/** The states that a page knows, by their addresses. */
export class States {
  /** @type {Map<string, Known>} */ #known = new Map();
  /** @type {Map<string, Map<string, Known>>} */ #places = new Map(); // By call id: the calls' places in queues and conferences.
  #cursor = ""; // Of the event that is being applied.
  #over = ""; // The address of its resource, if that has ended.
  /** @type {Key[]} */ #changed = [];

  /** @param {string} resource @param {string} resourceId @param {string} memberId @returns {State | undefined} */
  get(resource, resourceId, memberId = "") {
    return this.#known.get(textOf({ resource, resourceId, memberId }))?.state;
  }

  /** Return the known states of a resource; for queues and conferences those of places as well. @param {string} resource */
  of(resource) {
    return [...this.#known.values()].filter(({ key }) => key.resource === resource);
  }

  /** Return the places of a call in queues and conferences. @param {string} callId */
  placesOf(callId) {
    return [...(this.#places.get(callId)?.values() ?? [])];
  }

  /** Forget a call and its places. @param {string} callId */
  forgetCall(callId) {
    this.#known.delete(textOf({ resource: "call", resourceId: callId, memberId: "" }));
    for (const { key } of this.placesOf(callId)) this.#known.delete(textOf(key));
    this.#places.delete(callId);
  }

  /** Take over an item of /v1.0/resources/…, and return its address. @param {any} item @param {string} resource */
  load(item, resource) {
    const key = { resource, resourceId: item.resource_id, memberId: item.member_id ?? "" };
    this.#set(key, State.of(item), item.cursor);
    return key;
  }

  /** Add what the gateway knows of a state beyond the events that this page received. @param {any} item @param {string} resource */
  complete({ resource_id: resourceId, member_id: memberId = "", data, since }, resource) {
    const state = this.get(resource, resourceId, memberId);
    if (state) Object.assign(state, { since, data: { ...data, ...state.data } });
  }

  /**
   * Change the states by an event, and return the addresses of those that it changed. An event that the states contain
   * changes nothing; nor does one of a resource that ended before this page knew it.
   * @param {GatewayEvent} event @returns {Key[]}
   */
  apply({ event_type: eventType, topic, timestamp: at, data: content, cursor, active, agent_ids: namedAgents, phase }) {
    const data = content ?? {};
    const [resource, action = ""] = eventType.split(/\.(.*)/s, 2);
    const [scope, scopeId, , ...rest] = topic.split(":");
    const key = { resource, resourceId: rest.join(":"), memberId: memberOf(resource, data) };
    this.#changed = [];
    this.#cursor = cursor;
    // What a queue says of a call that the page knows is kept: why the call left.
    this.#over = active === false && !(key.memberId && this.get("call", key.memberId)) ? textOf(key) : "";
    if (action === TEST_ACTION) return [];
    const callKey = resource === "call" ? key : { resource: "call", resourceId: key.memberId, memberId: "" };
    const isLive = resource === "call" ? active !== false : phase !== undefined && CURRENT_PHASES.has(phase[0]);
    // The call began again, which was not sent to an agent who did not have it.
    if (scope === "agent_id" && isLive && this.#before(callKey)?.isOver) this.#set(callKey, new State(at), "");
    const before = this.#before(callKey);
    const own = before?.agents[scopeId];
    const event = { eventType, action, data, at, namedAgents, isOver: active === false };
    if (resource === "call") this.#applyCallEvent(key, event);
    else if (key.memberId) this.#applyPlaceEvent(key, event);
    else this.#applyToResource(key, event);
    // An agent receives only a part of a call's events: the gateway sends what follows from all of them.
    if (scope === "agent_id" && callKey.resourceId && before !== null) this.#setPhase(callKey, scopeId, phase ?? own, at);
    return this.#changed;
  }

  /** @param {Key} key @param {State} state @param {string} cursor */
  #set(key, state, cursor) {
    const known = { key, state, cursor };
    this.#known.set(textOf(key), known);
    if (!key.memberId) return;
    const places = this.#places.get(key.memberId) ?? new Map();
    this.#places.set(key.memberId, places.set(textOf(key), known));
  }

  /** Return the state that the event may change; `null` if it may not: the state contains it, or its resource ended before this page knew it. @param {Key} key */
  #before(key) {
    const known = this.#known.get(textOf(key));
    if (!known) return this.#over === textOf(key) ? null : undefined;
    return isContained(this.#cursor, known.cursor) ? null : known.state;
  }

  /** @param {Key} key @param {State} state */
  #put(key, state) {
    this.#set(key, state, this.#cursor);
    this.#changed.push(key);
  }

  /** Set an agent's phase with a call; `undefined` for none. @param {Key} key @param {string} agent @param {import("./state.js").AgentPhase | undefined} phase @param {string} at */
  #setPhase(key, agent, phase, at) {
    const state = this.get("call", key.resourceId) ?? (phase && new State(at));
    if (!state) return;
    delete state.agents[agent];
    if (phase) state.agents[agent] = phase;
    this.#put(key, state);
  }

  /** @param {Iterable<Known>} places @param {string} at */
  #endPlaces(places, at) {
    for (const { key, state, cursor } of places) {
      if (!state.live || isContained(this.#cursor, cursor)) continue;
      endPlace(state, at);
      this.#put(key, state);
    }
  }

  /** @param {Key} key @param {StateEvent} event */
  #applyCallEvent(key, { eventType, action, data, at, namedAgents, isOver }) {
    const before = this.#before(key);
    let ends = isFinal(action, data);
    // The end was not sent to an agent who had lost the call.
    if (before && isOver && !ends && !before.endedAt) Object.assign(before, { live: false, endedAt: at });
    if (before !== null) {
      const state = applyToCall(before, eventType, action, data, at, namedAgents);
      ends = !state.live && action !== NOTE_ACTION;
      this.#put(key, state);
    }
    if (ends) this.#endPlaces(this.placesOf(key.resourceId), at);
  }

  /** @param {Key} key @param {StateEvent} event */
  #applyPlaceEvent(key, { eventType, action, data, at, isOver }) {
    const callKey = { resource: "call", resourceId: key.memberId, memberId: "" };
    const call = this.#before(callKey);
    const before = this.#before(key);
    const isCallOver = isOver || (Boolean(call) && !call?.live);
    if (before !== null) this.#put(key, applyToPlace(before, key.resource, eventType, action, data, at, isCallOver));
    if (!call?.live || key.resource !== "queue") return;
    if (applyQueueEventToCall(call, action, data, at)) this.#put(callKey, call);
  }

  /** @param {Key} key @param {StateEvent} event */
  #applyToResource(key, { eventType, action, data, at, namedAgents }) {
    const before = this.#before(key);
    if (before !== null) this.#put(key, applyToResource(before, key.resource, eventType, action, data, at, namedAgents));
    if (!MEMBER_RESOURCES.has(key.resource) || !ENDING_ACTIONS.has(action)) return;
    this.#endPlaces(this.of(key.resource).filter((known) => known.key.memberId && known.key.resourceId === key.resourceId), at);
  }
}

/** @param {State | undefined} before @param {string} resource @param {string} eventType @param {string} action @param {any} data @param {string} at @param {string[]} [namedAgents] */
function applyToResource(before, resource, eventType, action, data, at, namedAgents) {
  let ends = ENDING_ACTIONS.has(action) || resource === "message"; // A message happens; it does not last.
  let state = before ?? new State(at);
  const beginsAgain = BEGINNING_ACTIONS.has(action) && at > state.endedAt;
  if (state.endedAt && FINAL_RESOURCES.has(resource) && !beginsAgain) ends = true;
  else if (state.endedAt && !ends) state = new State(at);
  const isFirst = resource === "message" && FIRST_OF_MESSAGE.has(action);
  const status = (isFirst && state.status) || data.status;
  state.read(eventType, status === data.status ? data : { ...data, status }, at);
  state.live = !ends;
  state.endedAt = ends ? state.endedAt || at : "";
  if (typeof status === "string" && status !== state.status) Object.assign(state, { status, statusSince: at });
  const named = namedIn(data, namedAgents);
  if (named !== null) nameAgents(state, named, at);
  return state;
}
