/** A call's state: it only moves forward, and its end is final. The gateway has the same rules in events/domain/call_state.py. Sans-I/O. */

import { currentAgents, endAgents, nameAgents, namedIn, release, restoreAgents, State } from "./state.js";

export const ENDING_ACTIONS = new Set(["ended", "completed", "deleted"]);
const FINAL_STATUSES = new Set(["hangup", "busy", "failed", "no-answer", "canceled"]);
/** The order in which a call moves through the known statuses. @type {Map<unknown, number>} */
const RANKS = new Map([["dialing", 1], ["ringing", 2], ["answered", 3], ["canceling", 4], ["terminating", 4]]);
for (const status of FINAL_STATUSES) RANKS.set(status, 5);
export const NOTE_ACTION = "noted"; // An agent adds a disposition and a note. It changes nothing else of a call.
const NOTE_FIELDS = ["id", "disposition", "note"];
const STATUS_FIELDS = ["status", "previous_status"];
const INFERRED_FIELDS = new Set(["status", "previous_status", "inferred", "reason"]);

/** Return whether an event of a call ends it. @param {string} action @param {any} data */
export function isFinal(action, data) {
  return ENDING_ACTIONS.has(action) || (FINAL_STATUSES.has(data.status) && action !== NOTE_ACTION);
}

/**
 * Return the call's state after an event of its own.
 * @param {State | undefined} before @param {string} eventType @param {string} action @param {any} data @param {string} at @param {string[]} [namedAgents]
 */
export function applyToCall(before, eventType, action, data, at, namedAgents) {
  if (action === NOTE_ACTION) return withNote(before, eventType, data, at);
  const final = isFinal(action, data);
  const isInferred = data.inferred === true;
  // Also after a note on an unknown call, which the pages do not keep.
  let state = before && (before.live || before.endedAt) ? before : new State(at);
  if (state.endedAt) {
    if (action === "created" && at > state.endedAt && !final) state = new State(at);
    else if (state.inferred && !isInferred) voidInferredEnd(state, at);
    else {
      state.read(eventType, { ...data, ...statusesOf(state) }, at);
      return state;
    }
  }
  const moves = movesForward(state, data.status, at);
  state.read(eventType, moves ? data : { ...data, ...statusesOf(state) }, at);
  state.live = !final;
  if (moves) {
    state.status = data.status;
    state.statusSince = at;
  }
  if (final) end(state, at, isInferred);
  else applyAgents(state, action, data, at, namedAgents);
  return state;
}

/** Return the state with a disposition and note. The agent who noted need not have the call. @param {State | undefined} before @param {string} eventType @param {any} data @param {string} at */
function withNote(before, eventType, data, at) {
  const state = before ?? Object.assign(new State(at), { live: false });
  state.read(eventType, fieldsOf(data, NOTE_FIELDS), at);
  return state;
}

/**
 * Change a live call's agents by an event of a queue, and return whether it may have changed. `queue.left` before
 * `queue.connected` or the answer is a hand-over: the agents keep the call. Only a reason says that they do not: the
 * caller went elsewhere, or gave up.
 * @param {State} state @param {string} action @param {any} data @param {string} at
 */
export function applyQueueEventToCall(state, action, data, at) {
  const named = namedIn(data);
  const agents = named?.length ? named : null;
  if (action === "connected") {
    if (agents !== null && at >= state.namedAt) nameAgents(state, agents, at);
    talk(state, agents, at);
  } else if (action === "joined") {
    for (const agent of currentAgents(state)) {
      const [phase, since] = state.agents[agent];
      if (phase === "talking" && at >= since) release(state, agent, at);
    }
  } else if (action === "left") {
    const { reason } = data;
    for (const agent of currentAgents(state)) {
      const hasGivenUp = reason === "abandoned" && state.agents[agent][0] === "offered";
      if (reason === "transferred" || reason === "voicemail" || hasGivenUp) release(state, agent, at);
    }
  } else if (agents !== null) nameAgents(state, agents, at);
  else return false;
  return true;
}

/** Return the present status as data, which a late status does not replace. @param {State} state */
function statusesOf({ data }) {
  return fieldsOf(data, STATUS_FIELDS);
}

/** @param {any} data @param {string[]} names */
function fieldsOf(data, names) {
  return Object.fromEntries(names.filter((name) => Object.hasOwn(data, name)).map((name) => [name, data[name]]));
}

/** @param {State} state @param {unknown} status @param {string} at */
function movesForward(state, status, at) {
  if (typeof status !== "string" || !status) return false;
  if (!state.status || status === state.status) return status !== state.status;
  const before = RANKS.get(state.status);
  const after = RANKS.get(status);
  return before === undefined || after === undefined ? at >= state.statusSince : after >= before;
}

/** @param {State} state @param {string} at @param {boolean} isInferred */
function end(state, at, isInferred) {
  state.endedAt = at;
  state.inferred = isInferred;
  endAgents(state, at);
}

/** Return to what was known before the gateway concluded the end: the source reports the call after all. @param {State} state @param {string} at */
function voidInferredEnd(state, at) {
  restoreAgents(state, at);
  const previous = state.data.previous_status;
  state.status = typeof previous === "string" ? previous : "";
  state.statusSince = at;
  state.data = Object.fromEntries(Object.entries(state.data).filter(([name]) => !INFERRED_FIELDS.has(name)));
  if (state.status) state.data.status = previous;
  Object.assign(state, { inferred: false, endedAt: "", correctedAt: at });
}

/** @param {State} state @param {string} action @param {any} data @param {string} at @param {string[]} [namedAgents] */
function applyAgents(state, action, data, at, namedAgents) {
  const named = namedIn(data, namedAgents);
  if (named !== null) nameAgents(state, named, at);
  const missedBy = data.missed_by;
  // A publisher may name the agent beside the data, so that the agent is notified.
  if (currentAgents(state).includes(missedBy) && !namedIn(data)?.includes(missedBy)) state.agents[missedBy] = ["missed", at];
  if (data.status === "answered" && action !== "assigned") talk(state, named, at);
}

/**
 * Let the agents who are offered the call talk, if they were offered it before `at`. An agent whom the event itself names
 * talks whatever the times say: clocks of publishers differ.
 * @param {State} state @param {string[] | null} named @param {string} at
 */
function talk(state, named, at) {
  for (const agent of currentAgents(state)) {
    const [phase, since] = state.agents[agent];
    if (phase === "offered" && (at >= since || named?.includes(agent))) state.agents[agent] = ["talking", at > since ? at : since];
  }
}
