/** An agent's status, calls and waiting callers, computed from state and events. Sans-I/O. */

import { DeskCall } from "./desk-call.js";
import { partyOf, waitingSince } from "../shared/call.js";
import { displayText } from "../shared/text.js";
import { States } from "../shared/resource-state.js";
import { parseTime, pastTime } from "../shared/time.js";
import { gettext } from "../shared/gettext.js";

/** @typedef {{ callId: string, queueId: string, queueName: string, party: Party, since: number }} Place A caller in a queue. */
/** @typedef {{ kind: "waiting", place: Place } | { kind: "offered" | "missed", call: DeskCall }} Notice */

/** @typedef {{ status: string, since: number | null, awayReason: string, returnsAt: number | null, setBy: string, setByName: string }} Presence */

const MAX_RECENT = 20;
const NO_DETAILS = { awayReason: "", returnsAt: null, setBy: "", setByName: "" };

export class Desk {
  agentId = "";
  /** @type {Presence} */ presence = { status: "", since: null, ...NO_DETAILS };
  /** @type {Map<string, DeskCall>} */ calls = new Map(); // Those that are not over.
  /** @type {Map<string, Place>} */ waiting = new Map(); // By call id.
  /** @type {DeskCall[]} */ recent = []; // Calls that are over, the latest first.
  isIncomplete = false; // Whether the state must be loaded again: a call is live that had seemed to be over.
  mayServeOthers = false; // Whether to read again which queues the agent serves: no event says that this has changed.
  #states = new States();
  /** @type {Map<string, string>} */ #queueNames = new Map(); // Of the queues that the agent serves.
  /** @type {Notice[]} */ #notices = [];
  /** @type {Set<string>} */ #unread = new Set(); // Ids of the calls that came to the agent, see `takeUnread`.

  /** Forget everything. @param {string} agentId */
  clear(agentId) {
    Object.assign(this, new Desk(), { agentId });
    this.#states = new States();
    this.#queueNames.clear();
    this.#notices = [];
    this.#unread.clear();
  }

  /**
   * Start again from the current state: resources, `history` (past events of the agent's calls and queues, in the log's
   * order), and `status`, the answer of /v1.0/agents/…/status.
   * @param {{ agentId: string, queues: Queue[], status: any, calls: any[], places: any[], history: GatewayEvent[] }} content
   * @param {number} now
   */
  load({ agentId, queues, status, calls, places, history }, now) {
    this.clear(agentId);
    this.serve(queues);
    this.presence = { status: displayText(status.status), since: parseTime(status.status_changed_at) ?? now, ...detailsOf(status, NO_DETAILS) };
    const changed = history.flatMap((event) => this.#states.apply(event));
    changed.push(...calls.map((item) => this.#states.load(item, "call")), ...places.map((item) => this.#states.load(item, "queue")));
    this.#updateAll(changed);
    this.#notices = [];
    this.#unread.clear();
  }

  /** Take over which queues the agent serves. @param {Queue[]} queues */
  serve(queues) {
    this.mayServeOthers = false;
    this.#queueNames = new Map(queues.filter(({ agent_ids }) => agent_ids?.includes(this.agentId)).map(({ id, name }) => [id, displayText(name)]));
    this.#updateAll(this.#states.of("queue").map(({ key }) => key));
  }

  /** Apply an event. Applying a known one again changes nothing. @param {GatewayEvent} event @param {number} now */
  apply(event, now) {
    const [resource, action] = event.event_type.split(".", 2);
    if (resource === "agent" && action === "status" && event.topic.split(":")[3] === this.agentId) this.#applyStatus(event, now);
    if (event.event_type === "queue.joined" && !this.#queueNames.has(event.topic.split(":")[3])) this.mayServeOthers = true;
    if (resource !== "call" && resource !== "queue") return;
    if (event.active && !this.#states.get("call", event.topic.split(":")[3])) this.isIncomplete = true;
    const changed = this.#states.apply(event);
    this.#updateAll(changed);
  }

  /** Return what the agent is to be notified of since the last time. */
  takeNotices() {
    const notices = this.#notices;
    this.#notices = [];
    return notices;
  }

  /** Return the calls that came to the agent since the last time: what was published of them before was not sent to this page. */
  takeUnread() {
    const unread = [...this.#unread];
    this.#unread.clear();
    return unread;
  }

  /** Add what was published of a call before it came to the agent. @param {any} item */
  complete(item) {
    this.#states.complete(item, "call");
    this.#updateAll([{ resource: "call", resourceId: item.resource_id, memberId: "" }]);
  }

  /** Compute what is shown of a call and its place. @param {string} callId */
  #update(callId) {
    const place = this.#placeOf(callId);
    const shown = this.waiting.get(callId);
    this.waiting.delete(callId);
    if (place) this.waiting.set(callId, place);
    if (place && (shown?.queueId !== place.queueId || shown.since !== place.since)) this.#notices.push({ kind: "waiting", place });
    const before = this.calls.get(callId) ?? this.recent.find(({ id }) => id === callId);
    const call = DeskCall.of(callId, this.agentId, this.#states);
    this.calls.delete(callId);
    this.recent = this.recent.filter(({ id }) => id !== callId);
    if (call?.phase === "over") this.recent.push(call);
    else if (call) this.calls.set(callId, call);
    else if (!place && this.#isPast(callId)) this.#states.forgetCall(callId);
    if (call && call.phase !== "over" && !before) this.#unread.add(callId);
    if (call?.phase === "offered" && before?.phase !== "offered") this.#notices.push({ kind: "offered", call });
    if (call?.isMissed && before && !before.isMissed) this.#notices.push({ kind: "missed", call });
  }

  /** Return the place in which the call waits; `null` if it waits in no queue that the agent serves. @param {string} callId @returns {Place | null} */
  #placeOf(callId) {
    for (const { key, state } of this.#states.placesOf(callId)) {
      const { resource, resourceId: queueId } = key;
      if (resource !== "queue" || !state.live || state.status !== "waiting" || !this.#queueNames.has(queueId)) continue;
      const queueName = displayText(state.data.queue_name) || this.#queueNames.get(queueId) || gettext("Queue {id}", { id: queueId.slice(0, 8) });
      return { callId, queueId, queueName, party: partyOf(state.data.source), since: waitingSince(state) };
    }
    return null;
  }

  /** Return whether all places of a call have ended. @param {string} callId */
  #isPast(callId) {
    return this.#states.placesOf(callId).every(({ state }) => !state.live);
  }

  /** Compute what is shown of the calls whose states or places have these addresses. @param {import("../shared/resource-state.js").Key[]} keys */
  #updateAll(keys) {
    for (const callId of new Set(keys.map(callOf))) if (callId) this.#update(callId);
    this.recent.sort((one, other) => other.since - one.since);
    for (const { id } of this.recent.splice(MAX_RECENT)) if (this.#isPast(id)) this.#states.forgetCall(id);
  }

  /** @param {GatewayEvent} event @param {number} now */
  #applyStatus({ timestamp, data }, now) {
    const status = displayText(data.status);
    if (!status) return;
    const isNew = status !== this.presence.status;
    const since = isNew ? pastTime(timestamp, now) : this.presence.since;
    this.presence = { status, since, ...detailsOf(data, isNew ? NO_DETAILS : this.presence) };
    if (isNew) this.mayServeOthers = true;
  }
}

/** Return the call whose state or place has this address, or "". @param {import("../shared/resource-state.js").Key} key */
function callOf({ resource, resourceId, memberId }) {
  return resource === "call" ? resourceId : memberId;
}

/** Return the details of a status: those that an event or answer has, and the others as before. @param {any} data @param {Omit<Presence, "status" | "since">} before */
function detailsOf(data, before) {
  const has = (/** @type {string} */ name) => data[name] !== undefined;
  return {
    awayReason: has("away_reason") ? displayText(data.away_reason) : before.awayReason,
    returnsAt: has("returns_at") ? parseTime(data.returns_at) : before.returnsAt,
    setBy: has("set_by") ? displayText(data.set_by) : before.setBy,
    setByName: has("set_by_name") ? displayText(data.set_by_name) : before.setByName,
  };
}
