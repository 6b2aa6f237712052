/** A place's state: a call in a queue or conference, until it leaves or the call ends. The gateway has the same rules in events/domain/place_state.py. Sans-I/O. */

import { ENDING_ACTIONS } from "./call-state.js";
import { endAgents, nameAgents, namedIn, State } from "./state.js";

const LEAVING_ACTIONS = new Set([...ENDING_ACTIONS, "left"]);
const TIMES = new Set(["tm_join", "tm_connect"]);

/**
 * Return the state of a call's place after an event of its queue or conference. A place that was left becomes live again
 * only by joining later; a place of a call that is over never does.
 * @param {State | undefined} before @param {string} resource @param {string} eventType @param {string} action @param {any} data @param {string} at @param {boolean} isCallOver
 */
export function applyToPlace(before, resource, eventType, action, data, at, isCallOver) {
  const joins = action === "joined";
  let state = before ?? new State(at);
  let joinsAnew = true;
  if (!before) state.live = !LEAVING_ACTIONS.has(action);
  else joinsAnew = joins && (state.endedAt ? at > state.endedAt : state.status === "connected" && at >= state.statusSince);
  if (joinsAnew && state.endedAt) state = new State(at);
  else if (joinsAnew && state.status === "connected") {
    // The call came back: its waiting time starts again.
    state.since = at;
    state.data = Object.fromEntries(Object.entries(state.data).filter(([name]) => !TIMES.has(name)));
    state.agents = {};
  }
  const wasOver = Boolean(state.endedAt);
  state.read(eventType, data, at);
  if (LEAVING_ACTIONS.has(action) || isCallOver || wasOver) endPlace(state, at);
  else if (resource === "queue") move(state, action, data, at, joinsAnew);
  else {
    state.status = "joined";
    state.statusSince = state.since;
  }
  return state;
}

/** End a place, unless it has ended before. @param {State} state @param {string} at */
export function endPlace(state, at) {
  if (!state.endedAt) state.endedAt = state.updatedAt = at;
  state.live = false;
  endAgents(state, at);
}

/** @param {State} state @param {string} action @param {any} data @param {string} at @param {boolean} joinsAnew */
function move(state, action, data, at, joinsAnew) {
  const named = action !== "joined" || joinsAnew ? namedIn(data) : null;
  const names = named !== null && at >= state.namedAt;
  if (names) nameAgents(state, named, at);
  let status = joinsAnew ? "waiting" : state.status || "waiting";
  if (action === "connected") status = "connected";
  else if (state.status === "connected" && !joinsAnew) return;
  else if (names) status = named.length ? "connecting" : "waiting";
  if (status === state.status && !joinsAnew) return;
  state.status = status;
  state.statusSince = at;
}
