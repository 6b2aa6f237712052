/** An agent's desk as events tell of it: its status, its calls, who waits in its queues. Knows no page and no clock. */

import { DeskCall } from "./desk-call.js";
import { isText, partyOf, displayText } from "../shared/call.js";
import { parseTime } from "../shared/time.js";

const MAX_RECENT = 20;
const REST = new Set(["available", "away", "offline"]); // Who is one of these has no call.

export class Desk {
  constructor() {
    this.clear("");
  }

  #loaded;

  /** Nothing is known of anybody. */
  clear(agentId) {
    this.agentId = agentId;
    this.status = { word: "", since: null };
    this.calls = new Map(); // that are not over
    this.waiting = new Map(); // call id -> { callId, queueId, queueName, party, since }
    this.recent = []; // calls that are over, the latest first
    this.queueNames = new Map();
    this.#loaded = new Set(); // ids of the events of the past: the log may bring some of them again
    this.notices = []; // what somebody should be told of: { kind: "waiting" | "offered" | "missed", call or place }
  }

  /** Begin anew: the agent's status, its live calls and its queues' places as resources, its calls' past as events. */
  load({ agentId, queues, status, isByHand, calls, places, history }, now) {
    this.clear(agentId);
    for (const { id, name } of queues) this.queueNames.set(id, displayText(name));
    for (const event of history) this.apply(event, now);
    this.#loaded = new Set(history.map(({ id }) => id));
    this.status = { word: displayText(status.status), since: parseTime(status.status_changed_at) ?? now };
    const live = new Map(calls.map((item) => [item.resource_id, item]));
    for (const call of [...this.calls.values()]) if (!live.has(call.id)) this.#end(call, "ended", call.since);
    for (const item of live.values()) {
      const { data } = item;
      const at = parseTime(item.updated_at) ?? now;
      if (this.#agentOf(data) !== agentId) {
        const call = this.calls.get(item.resource_id);
        if (call) this.#end(call, call.phase === "offered" ? "missed" : "transferred", at);
        continue;
      }
      const call = this.calls.get(item.resource_id) ?? this.#call(item.resource_id, at);
      call.read(data);
      if (data.status === "answered") call.become("talking", at);
      else if (!call.inbound) call.become("dialing", at);
    }
    if (!isByHand) this.#concludeFrom(this.status.word, this.status.since);
    for (const item of places) {
      if (item.event_type === "queue.connected") continue;
      const since = parseTime(item.data.tm_join) ?? parseTime(item.since) ?? now;
      this.#wait(item.member_id, item.resource_id, item.data, since);
    }
    for (const call of this.calls.values()) if (call.phase === "talking") this.waiting.delete(call.id);
    this.recent.sort((one, other) => other.since - one.since);
    this.notices = [];
  }

  /** Take in one event; once more of what is known already changes nothing. */
  apply(event, now) {
    if (this.#loaded.has(event.id)) return;
    const [resource, action] = event.event_type.split(".", 2);
    const id = event.topic.split(":")[3];
    const at = Math.min(parseTime(event.timestamp) ?? now, now);
    if (resource === "call") this.#callEvent(id, action, event.data, at);
    else if (resource === "queue") this.#queueEvent(id, action, event.data, at);
    else if (resource === "agent" && action === "status" && id === this.agentId) this.#statusEvent(event.data, at);
  }

  takeNotices() {
    const { notices } = this;
    this.notices = [];
    return notices;
  }

  queueName(id) {
    return this.queueNames.get(id) || (id ? `Queue ${displayText(id).slice(0, 8)}` : "");
  }

  // --- Calls ---

  #agentOf(data) {
    if (isText(data.agent_id)) return data.agent_id;
    if (data.owner_type === "agent" && isText(data.owner_id)) return data.owner_id;
    return data.agent_id === null ? null : this.agentId; // It came on the agent's own topic.
  }

  #call(id, at) {
    const call = new DeskCall(id, at);
    this.calls.set(id, call);
    return call;
  }

  #end(call, outcome, at, { isPresumed = false } = {}) {
    call.isPresumed = isPresumed;
    call.become("over", at, outcome);
    this.calls.delete(call.id);
    this.recent = [call, ...this.recent.filter(({ id }) => id !== call.id)].slice(0, MAX_RECENT);
    if (outcome === "missed" || outcome === "abandoned") this.notices.push({ kind: "missed", call });
  }

  #callEvent(id, action, data, at) {
    const known = this.calls.get(id);
    const isOver = action === "ended" || data.status === "hangup";
    if (data.missed_by === this.agentId && this.#agentOf(data) !== this.agentId) {
      if (known) {
        known.read(data);
        this.#end(known, isOver && known.phase === "offered" ? "abandoned" : "missed", at);
      }
      return;
    }
    if (isOver) {
      if (!known) return;
      known.read(data);
      this.#end(known, known.phase === "offered" ? "abandoned" : "ended", at);
      return;
    }
    const isMine = this.#agentOf(data) === this.agentId;
    if (!isMine) {
      if (known) this.#end(known, known.phase === "offered" ? "missed" : "transferred", at);
      return;
    }
    // What is over may be told of again by a replay; it is only back when it is assigned again.
    const past = known ? undefined : this.recent.find((call) => call.id === id);
    if (past && action !== "assigned" && !past.isPresumed) return;
    if (past) this.recent = this.recent.filter((call) => call !== past);
    const call = known ?? this.#call(id, at);
    call.read(data);
    if (action === "assigned" && call.phase === "offered") {
      if (call.offers === 0) {
        call.offers = 1;
        this.notices.push({ kind: "offered", call });
      }
    }
    if (data.status === "answered" && action !== "assigned") this.#connect(call, at);
    else if (!call.inbound && call.phase === "offered") call.become("dialing", at);
  }

  #connect(call, at) {
    call.become("talking", at);
    this.waiting.delete(call.id);
  }

  // --- Queues ---

  #wait(callId, queueId, data, since) {
    if (!isText(callId)) return null;
    if (displayText(data.queue_name)) this.queueNames.set(queueId, displayText(data.queue_name));
    const known = this.waiting.get(callId);
    const party = partyOf(data.source);
    const place = { callId, queueId, queueName: this.queueName(queueId), party: party.number ? party : (known?.party ?? party), since };
    this.waiting.set(callId, place);
    return known?.queueId === queueId ? null : place;
  }

  #queueEvent(queueId, action, data, at) {
    const call = this.calls.get(data.call_id);
    if (action === "joined") {
      if (call?.phase === "talking") this.#end(call, "transferred", at);
      const place = this.#wait(data.call_id, queueId, data, parseTime(data.tm_join) ?? at);
      if (place) this.notices.push({ kind: "waiting", place });
    } else if (action === "connected") {
      this.waiting.delete(data.call_id);
      if (!call) return;
      if (!isText(data.agent_id) || data.agent_id === this.agentId) this.#connect(call, at);
      else this.#end(call, call.phase === "offered" ? "missed" : "transferred", at);
    } else if (action === "left") {
      if (this.waiting.get(data.call_id)?.queueId === queueId) this.waiting.delete(data.call_id);
      if (!call || (call.queueId && call.queueId !== queueId)) return;
      if (data.reason === "transferred" || data.reason === "voicemail") this.#end(call, data.reason, at);
      else if (call.phase === "offered") this.#end(call, "abandoned", at);
    }
  }

  // --- The agent's status ---

  #statusEvent(data, at) {
    const word = displayText(data.status);
    if (!word || word === this.status.word) return;
    this.status = { word, since: at };
    // Who chose it by hand says nothing of calls.
    if (!isText(data.set_by)) this.#concludeFrom(word, at);
  }

  /** A platform may tell by the agent's status alone that a call is not at the desk any more. */
  #concludeFrom(word, at) {
    if (!REST.has(word)) return;
    for (const call of [...this.calls.values()]) if (call.since < at) this.#end(call, call.phase === "offered" ? "missed" : "ended", at, { isPresumed: true });
  }
}
