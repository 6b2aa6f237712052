/** What a page shows of one call: it follows from the states of the call and its places alone. Sans-I/O. */

import { currentAgents } from "./state.js";
import { displayText } from "./text.js";
import { parseTime } from "./time.js";
import { gettext } from "./gettext.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./resource-state.js").Known} Known */
/** @typedef {import("./resource-state.js").States} States */

/** The states of a call, the most urgent first. */
export const STATES = Object.freeze(["waiting", "connecting", "ringing", "dialing", "talking", "answered", "other", "ended"]);

export const DIRECTIONS = new Map(Object.entries({ inbound: gettext("Inbound"), outbound: gettext("Outbound") }));

const STATE_NAMES = new Map(Object.entries({
  waiting: gettext("Waiting"), connecting: gettext("Connecting"), ringing: gettext("Ringing"), dialing: gettext("Dialing"), talking: gettext("Talking"),
  answered: gettext("Answered"), other: gettext("Other"), ended: gettext("Ended"),
}));
const STATUS_NAMES = new Map(Object.entries({
  available: gettext("available"), busy: gettext("busy"), ringing: gettext("ringing"), away: gettext("away"), offline: gettext("offline"),
}));

const STATUS_STATES = new Set(["dialing", "ringing", "answered"]);

/** Write a word with a capital first letter. @param {string} word */
export function capitalized(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** Return the name of a call's state. @param {string} state */
export const stateName = (state) => STATE_NAMES.get(state) ?? capitalized(state);

/** Return the name of an agent's status, within a sentence. @param {string} status */
export const statusName = (status) => STATUS_NAMES.get(status) ?? status;

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

/** Return how the pages name the other party of a call. @param {Party} party */
export const callerName = (party) => labelOf(party) || gettext("Unknown caller");

/** Return when a call began to wait in a place. @param {State} place */
export function waitingSince({ data, since }) {
  return parseTime(data.tm_join) ?? timeOf(since);
}

/** @param {string} text @returns {number} Milliseconds since the epoch. */
const timeOf = (text) => parseTime(text) ?? 0;

/** Return the place that a call has now: the one that changed last. @param {Known[]} places */
function presentPlace(places) {
  const live = places.filter(({ state }) => state.live);
  const isLater = (/** @type {Known} */ one, /** @type {Known} */ other) =>
    one.state.statusSince === other.state.statusSince ? one.key.resourceId > other.key.resourceId : one.state.statusSince > other.state.statusSince;
  return live.reduce((/** @type {Known | null} */ last, each) => (last && isLater(last, each) ? last : each), null);
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
  startedAt = 0;
  stateSince = 0;

  /**
   * Some platforms publish events of queues only: then there is no state of the call, but there are places.
   * @param {string} id @param {States} states
   */
  constructor(id, states) {
    this.id = id;
    const state = states.get("call", id);
    const places = states.placesOf(id).filter(({ key }) => key.resource === "queue");
    const place = presentPlace(places);
    const isOver = state ? !state.live : !place;
    // A page that was just loaded does not know the places that the call has left.
    const last = place?.state ?? (isOver ? places.at(-1)?.state : undefined);
    if (state) this.#read(state);
    else if (last) this.startedAt = Math.min(...places.filter((each) => isOver || each.state.live).map((each) => timeOf(each.state.since)));
    if (!this.from.number && last?.data.source !== undefined) this.from = partyOf(last.data.source);
    if (isOver) {
      this.endedAt = this.stateSince = timeOf((state ?? last)?.endedAt ?? "");
      this.state = "ended";
      return;
    }
    const talking = currentAgents(state).filter((agent) => state?.agents[agent][0] === "talking");
    this.agentId = talking[0] ?? currentAgents(state)[0] ?? currentAgents(place?.state)[0] ?? null;
    if (place) this.#readPlace(place);
    this.#readPhase(state, place, talking);
  }

  /** The party outside the contact centre. */
  get otherParty() {
    return this.direction === "outbound" ? this.to : this.from;
  }

  get stateLabel() {
    return this.state === "other" ? capitalized(this.status) || gettext("Unknown") : stateName(this.state);
  }

  /** @param {State} state */
  #read({ data, status, since, agents, endedAt }) {
    this.status = displayText(status);
    this.direction = displayText(data.direction);
    this.from = partyOf(data.source);
    this.to = partyOf(data.destination);
    this.startedAt = parseTime(data.tm_create) ?? timeOf(since);
    if (endedAt) this.agentId = Object.keys(agents).findLast((agent) => agents[agent][1] === endedAt) ?? null;
  }

  /** @param {Known} place */
  #readPlace({ key, state }) {
    const connectedAt = state.status === "connected" ? (parseTime(state.data.tm_connect) ?? timeOf(state.statusSince)) : null;
    this.place = { queueId: key.resourceId, since: waitingSince(state), connectedAt };
  }

  /** Compute the state, and since when it lasts. @param {State | undefined} state @param {Known | null} known @param {string[]} talking */
  #readPhase(state, known, talking) {
    const [agent] = currentAgents(state);
    const offeredAt = agent && state ? timeOf(state.agents[agent][1]) : null;
    if (this.place && this.place.connectedAt !== null) this.#enter("talking", this.place.connectedAt);
    else if (talking.length && state) this.#enter("talking", timeOf(state.agents[talking[0]][1]));
    else if (known && known.state.status === "connecting") this.#enter("connecting", timeOf(known.state.statusSince));
    else if (offeredAt !== null && (known || state?.status === "answered")) this.#enter("connecting", offeredAt);
    else if (this.place) this.#enter("waiting", this.place.since);
    else if (state && STATUS_STATES.has(state.status)) this.#enter(state.status, this.#statusSince(state));
    else this.#enter("other", state ? timeOf(state.statusSince || state.since) : this.startedAt);
    // The call has left the queue, whatever its platform publishes of that.
    if (this.place && this.state === "talking") this.place.connectedAt ??= this.stateSince;
  }

  /** @param {State} state */
  #statusSince({ status, statusSince, data }) {
    const answered = status === "answered" ? (parseTime(data.tm_progressing) ?? parseTime(data.tm_answer)) : null;
    return answered ?? timeOf(statusSince);
  }

  /** @param {string} state @param {number} since */
  #enter(state, since) {
    this.state = state;
    this.stateSince = since;
  }
}
