/** An agent's status, calls and waiting callers, computed from state and events. Sans-I/O. */

import { DeskCall } from "./desk-call.js";
import { displayText, isText, partyOf } from "../shared/call.js";
import { parseTime } from "../shared/time.js";

/** @typedef {{ callId: string, queueId: string, queueName: string, party: Party, since: number }} Place A caller in a queue. */
/** @typedef {{ kind: "waiting", place: Place } | { kind: "offered" | "missed", call: DeskCall }} Notice */

const MAX_RECENT = 20;
const STATUSES_WITHOUT_CALL = new Set(["available", "away", "offline"]);

export class Desk {
  agentId = "";
  /** @type {{ status: string, since: number | null }} */ presence = { status: "", since: null };
  /** @type {Map<string, DeskCall>} */ calls = new Map(); // Those that are not over.
  /** @type {Map<string, Place>} */ waiting = new Map(); // By call id.
  /** @type {DeskCall[]} */ recent = []; // Calls that are over, the latest first.
  /** @type {Map<string, string>} */ #queueNames = new Map();
  /** @type {Set<string>} */ #loadedIds = new Set(); // Ids of past events, which the log may send again.
  /** @type {Notice[]} */ #notices = [];

  /** Forget everything. @param {string} agentId */
  clear(agentId) {
    Object.assign(this, new Desk(), { agentId });
    this.#queueNames.clear();
    this.#loadedIds.clear();
    this.#notices = [];
  }

  /**
   * Start again from the current state: resources, `history` (past events of the agent's calls), and `status`, the answer of
   * /v1.0/agents/…/status. `isByHand` is true if a person chose the status.
   * @param {{ agentId: string, queues: Queue[], status: any, isByHand: boolean, calls: any[], places: any[], history: GatewayEvent[] }} content
   * @param {number} now
   */
  load({ agentId, queues, status, isByHand, calls, places, history }, now) {
    this.clear(agentId);
    for (const { id, name } of queues) this.#queueNames.set(id, displayText(name));
    for (const event of history) this.apply(event, now);
    this.#loadedIds = new Set(history.map(({ id }) => id));
    const since = parseTime(status.status_changed_at) ?? now;
    this.presence = { status: displayText(status.status), since };
    const live = new Map(calls.map((item) => [item.resource_id, item]));
    for (const call of [...this.calls.values()]) if (!live.has(call.id)) this.#end(call, "ended", call.since);
    for (const item of live.values()) {
      const { data } = item;
      const at = parseTime(item.updated_at) ?? now;
      const known = this.calls.get(item.resource_id);
      if (this.#agentOf(data) !== agentId) {
        if (known) this.#leave(known, "transferred", at);
        continue;
      }
      const call = known ?? this.#call(item.resource_id, at);
      call.read(data);
      if (data.status === "answered") call.enter("talking", at);
      else if (!call.inbound) call.enter("dialing", at);
    }
    if (!isByHand) this.#concludeFrom(this.presence.status, since);
    for (const item of places) {
      if (item.event_type === "queue.connected") continue;
      this.#wait(item.member_id, item.resource_id, item.data, parseTime(item.data.tm_join) ?? parseTime(item.since) ?? now);
    }
    for (const call of this.calls.values()) if (call.phase === "talking") this.waiting.delete(call.id);
    this.recent.sort((one, other) => other.since - one.since);
    this.#notices = [];
  }

  /** Apply an event. Applying a known one again changes nothing. @param {GatewayEvent} event @param {number} now */
  apply(event, now) {
    if (this.#loadedIds.has(event.id)) return;
    const [resource, action] = event.event_type.split(".", 2);
    const id = event.topic.split(":")[3];
    const at = Math.min(parseTime(event.timestamp) ?? now, now);
    if (resource === "call") this.#applyCall(id, action, event.data, at);
    else if (resource === "queue") this.#applyQueue(id, action, event.data, at);
    else if (resource === "agent" && action === "status" && id === this.agentId) this.#applyStatus(event.data, at);
  }

  /** Return what the agent is to be notified of since the last time. */
  takeNotices() {
    const notices = this.#notices;
    this.#notices = [];
    return notices;
  }

  // --- Calls ---

  /** @param {any} data */
  #agentOf(data) {
    if (isText(data.agent_id)) return data.agent_id;
    if (data.owner_type === "agent" && isText(data.owner_id)) return data.owner_id;
    return data.agent_id === null ? null : this.agentId; // The event came under the agent's own topic.
  }

  /** @param {string} id @param {number} at */
  #call(id, at) {
    const call = new DeskCall(id, at);
    this.calls.set(id, call);
    return call;
  }

  /** @param {DeskCall} call @param {Outcome} outcome @param {number} at */
  #end(call, outcome, at, { isPresumed = false } = {}) {
    call.isPresumed = isPresumed;
    call.enter("over", at, outcome);
    this.calls.delete(call.id);
    this.recent = [call, ...this.recent.filter(({ id }) => id !== call.id)].slice(0, MAX_RECENT);
    if (outcome === "missed" || outcome === "abandoned") this.#notices.push({ kind: "missed", call });
  }

  /** End a call that goes on elsewhere: missed if it was only offered, otherwise with `outcome`. @param {DeskCall} call @param {Outcome} outcome @param {number} at */
  #leave(call, outcome, at, options = {}) {
    this.#end(call, call.phase === "offered" ? "missed" : outcome, at, options);
  }

  /** @param {string} id @param {string} action @param {any} data @param {number} at */
  #applyCall(id, action, data, at) {
    const known = this.calls.get(id);
    const isOver = action === "ended" || data.status === "hangup";
    const isMine = this.#agentOf(data) === this.agentId;
    const isMissed = data.missed_by === this.agentId && !isMine;
    if (isMissed || isOver) {
      if (!known) return;
      known.read(data);
      this.#end(known, isOver && known.phase === "offered" ? "abandoned" : isMissed ? "missed" : "ended", at);
      return;
    }
    if (!isMine) {
      if (known) this.#leave(known, "transferred", at);
      return;
    }
    // A replay may repeat events of a call that is over. It returns only by a new assignment.
    const past = known ? undefined : this.recent.find((call) => call.id === id);
    if (past && action !== "assigned" && !past.isPresumed) return;
    if (past) this.recent = this.recent.filter((call) => call !== past);
    const call = known ?? this.#call(id, at);
    call.read(data);
    if (action === "assigned" && call.phase === "offered" && !call.isAnnounced) {
      call.isAnnounced = true;
      this.#notices.push({ kind: "offered", call });
    }
    if (data.status === "answered" && action !== "assigned") this.#connect(call, at);
    else if (!call.inbound && call.phase === "offered") call.enter("dialing", at);
  }

  /** @param {DeskCall} call @param {number} at */
  #connect(call, at) {
    call.enter("talking", at);
    this.waiting.delete(call.id);
  }

  // --- Queues ---

  /** Add a waiting caller, and return the place if it is new in this queue. @param {unknown} callId @param {string} queueId @param {any} data @param {number} since */
  #wait(callId, queueId, data, since) {
    if (!isText(callId)) return null;
    if (displayText(data.queue_name)) this.#queueNames.set(queueId, displayText(data.queue_name));
    const known = this.waiting.get(callId);
    const party = partyOf(data.source);
    const queueName = this.#queueNames.get(queueId) || (queueId ? `Queue ${displayText(queueId).slice(0, 8)}` : "");
    const place = { callId, queueId, queueName, party: party.number ? party : (known?.party ?? party), since };
    this.waiting.set(callId, place);
    return known?.queueId === queueId ? null : place;
  }

  /** @param {string} queueId @param {string} action @param {any} data @param {number} at */
  #applyQueue(queueId, action, data, at) {
    const call = this.calls.get(data.call_id);
    if (action === "joined") {
      if (call?.phase === "talking") this.#end(call, "transferred", at);
      const place = this.#wait(data.call_id, queueId, data, parseTime(data.tm_join) ?? at);
      if (place) this.#notices.push({ kind: "waiting", place });
    } else if (action === "connected") {
      this.waiting.delete(data.call_id);
      if (!call) return;
      if (!isText(data.agent_id) || data.agent_id === this.agentId) this.#connect(call, at);
      else this.#leave(call, "transferred", at);
    } else if (action === "left") {
      if (this.waiting.get(data.call_id)?.queueId === queueId) this.waiting.delete(data.call_id);
      if (!call || (call.queueId && call.queueId !== queueId)) return;
      if (data.reason === "transferred" || data.reason === "voicemail") this.#end(call, data.reason, at);
      else if (call.phase === "offered") this.#end(call, "abandoned", at);
    }
  }

  // --- The agent's status ---

  /** @param {any} data @param {number} at */
  #applyStatus(data, at) {
    const status = displayText(data.status);
    if (!status || status === this.presence.status) return;
    this.presence = { status, since: at };
    // A status that a person chose says nothing about calls.
    if (!isText(data.set_by)) this.#concludeFrom(status, at);
  }

  /** End calls by the agent's status: some platforms publish no other sign that a call has left the desk. @param {string} status @param {number} at */
  #concludeFrom(status, at) {
    if (!STATUSES_WITHOUT_CALL.has(status)) return;
    for (const call of [...this.calls.values()]) if (call.since < at) this.#leave(call, "ended", at, { isPresumed: true });
  }
}
