/** The fold: how each event changes the states of resources, calls, and their places. The gateway has the same rules in events/domain/resource_state.py. Sans-I/O. */

import { applyQueueEventToCall, applyToCall, ENDING_ACTIONS, isFinal } from "./call-state.js";
import { applyToPlace, endPlace } from "./place-state.js";
import { nameAgents, namedIn, State } from "./state.js";

/** @typedef {{ resource: string, resourceId: string, memberId: string }} Key The address of a state; `memberId` is the call of a place, or "". */
/** @typedef {{ key: Key, state: State, cursor: string }} Known A state, and the cursor of the last event that changed it. */

const BEGINNING_ACTIONS = new Set(["created", "started"]);
const TEST_ACTION = "test";
const MEMBER_RESOURCES = new Set(["queue", "conference"]);
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
function isContained(cursor, known) {
  const [epoch, number] = partsOf(cursor);
  const [knownEpoch, knownNumber] = partsOf(known);
  return epoch === knownEpoch && number <= knownNumber;
}

/** The states that a page knows, by their addresses. */
export class States {
  /** @type {Map<string, Known>} */ #known = new Map();
  #cursor = ""; // Of the event that is being applied.
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
    return [...this.#known.values()].filter(({ key }) => key.memberId === callId && callId !== "");
  }

  /** @param {Key} key */
  forget(key) {
    this.#known.delete(textOf(key));
  }

  /** Return a copy that later events do not change. */
  copy() {
    const copy = new States();
    for (const [address, known] of this.#known) copy.#known.set(address, { ...known, state: known.state.copy() });
    return copy;
  }

  /** Take over an item of /v1.0/resources/…. @param {any} item @param {string} resource */
  load(item, resource) {
    const key = { resource, resourceId: item.resource_id, memberId: item.member_id ?? "" };
    this.#known.set(textOf(key), { key, state: State.of(item), cursor: item.cursor });
    return key;
  }

  /**
   * Change the states by an event, and return the addresses of those that it changed. An event that the states contain
   * changes nothing; nor does one of a resource that ended before this page knew it.
   * @param {GatewayEvent} event @returns {Key[]}
   */
  apply({ event_type: eventType, topic, timestamp: at, data, cursor, active, agent_ids: namedAgents }) {
    const [resource, action = ""] = eventType.split(/\.(.*)/s, 2);
    const resourceId = topic.split(":").slice(3).join(":");
    this.#changed = [];
    this.#cursor = cursor;
    if (action === TEST_ACTION || data === null || typeof data !== "object") return [];
    const key = { resource, resourceId, memberId: memberOf(resource, data) };
    if (!this.#known.has(textOf(key)) && active === false) return [];
    if (resource === "call") this.#applyCallEvent(key, eventType, action, data, at, namedAgents);
    else if (key.memberId) this.#applyPlaceEvent(key, eventType, action, data, at, active === false);
    else this.#applyToResource(key, eventType, action, data, at, namedAgents);
    return this.#changed;
  }

  /** Return the state that the event may change; `null` if the state contains the event. @param {Key} key */
  #before(key) {
    const known = this.#known.get(textOf(key));
    return known && isContained(this.#cursor, known.cursor) ? null : known?.state;
  }

  /** @param {Key} key @param {State} state */
  #put(key, state) {
    this.#known.set(textOf(key), { key, state, cursor: this.#cursor });
    this.#changed.push(key);
  }

  /** @param {(key: Key) => boolean} isEnding @param {string} at */
  #endPlaces(isEnding, at) {
    for (const { key, state, cursor } of [...this.#known.values()]) {
      if (!key.memberId || !state.live || !isEnding(key) || isContained(this.#cursor, cursor)) continue;
      endPlace(state, at);
      this.#put(key, state);
    }
  }

  /** @param {Key} key @param {string} eventType @param {string} action @param {any} data @param {string} at @param {string[]} [namedAgents] */
  #applyCallEvent(key, eventType, action, data, at, namedAgents) {
    const before = this.#before(key);
    let isOver = isFinal(action, data);
    if (before !== null) {
      const state = applyToCall(before, eventType, action, data, at, namedAgents);
      isOver = !state.live;
      this.#put(key, state);
    }
    if (isOver) this.#endPlaces(({ memberId }) => memberId === key.resourceId, at);
  }

  /** @param {Key} key @param {string} eventType @param {string} action @param {any} data @param {string} at @param {boolean} isEnded Whether the place has ended, as the gateway says. */
  #applyPlaceEvent(key, eventType, action, data, at, isEnded) {
    const callKey = { resource: "call", resourceId: key.memberId, memberId: "" };
    const call = this.#before(callKey);
    const before = this.#before(key);
    const isOver = isEnded || (Boolean(call) && !call?.live);
    if (before !== null) this.#put(key, applyToPlace(before, key.resource, eventType, action, data, at, isOver));
    if (!call?.live || key.resource !== "queue") return;
    if (applyQueueEventToCall(call, action, data, at)) this.#put(callKey, call);
  }

  /** @param {Key} key @param {string} eventType @param {string} action @param {any} data @param {string} at @param {string[]} [namedAgents] */
  #applyToResource(key, eventType, action, data, at, namedAgents) {
    const before = this.#before(key);
    if (before !== null) this.#put(key, applyToResource(before, key.resource, eventType, action, data, at, namedAgents));
    if (!MEMBER_RESOURCES.has(key.resource) || !ENDING_ACTIONS.has(action)) return;
    this.#endPlaces(({ resource, resourceId }) => resource === key.resource && resourceId === key.resourceId, at);
  }
}

/** @param {State | undefined} before @param {string} resource @param {string} eventType @param {string} action @param {any} data @param {string} at @param {string[]} [namedAgents] */
function applyToResource(before, resource, eventType, action, data, at, namedAgents) {
  let ends = ENDING_ACTIONS.has(action) || resource === "message"; // A message happens; it does not last.
  let state = before ?? new State(at);
  const beginsAgain = BEGINNING_ACTIONS.has(action) && at > state.endedAt;
  if (state.endedAt && FINAL_RESOURCES.has(resource) && !beginsAgain) ends = true;
  else if (state.endedAt && !ends) state = new State(at);
  state.read(eventType, data, at);
  state.live = !ends;
  state.endedAt = ends ? state.endedAt || at : "";
  const named = namedIn(data, namedAgents);
  if (named !== null) nameAgents(state, named, at);
  return state;
}
