/** Conversations by text message, one for each number, computed from events. Sans-I/O. */

import { partyOf } from "../shared/call.js";
import { displayText, withoutInvisible } from "../shared/text.js";
import { pastTime } from "../shared/time.js";

const MAX_THREADS = 500;
const MAX_MESSAGES = 200;
const MAX_TEXT = 5000;
const MAX_KEYWORD = 64;
const AROUND = /^[\s.,!?"'“”’]+|[\s.,!?"'“”’]+$/g;
// The same keywords as in subscriptions/platform/opt_outs.py.
const STOP = new Set(["stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke"]);
const START = new Set(["start", "unstop"]);

/** Return the text of a message, which may have several lines. @param {unknown} value */
function textOf(value) {
  if (typeof value !== "string") return "";
  // eslint-disable-next-line no-control-regex
  const clean = withoutInvisible(value.slice(0, MAX_TEXT).replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]+/g, " "));
  return value.length > MAX_TEXT ? `${clean}…` : clean;
}

/** @param {any} data @param {boolean} isInbound */
function otherParty(data, isInbound) {
  const first = Array.isArray(data.targets) ? data.targets[0]?.destination : undefined;
  return partyOf(isInbound ? data.source : (data.destination ?? first));
}

export class Threads {
  /** @type {Map<string, Thread>} */ byNumber = new Map();
  /** @type {Map<string, string>} */ #numbers = new Map(); // By message id.

  clear() {
    this.byNumber.clear();
    this.#numbers.clear();
  }

  /** The threads, the one with the latest message first. */
  get sorted() {
    return [...this.byNumber.values()].sort((one, other) => other.at - one.at || (one.number < other.number ? -1 : 1));
  }

  /** Apply an event, and return the thread of a new inbound message. @param {GatewayEvent} event @param {number} now */
  apply(event, now, { isNew = true } = {}) {
    const [resource, action] = event.event_type.split(".", 2);
    if (resource !== "message") return null;
    const { data } = event;
    const id = event.topic.split(":")[3];
    const at = pastTime(event.timestamp, now);
    if (action === "delivery") this.#setStatus(id, displayText(data.status));
    if ((action !== "received" && action !== "sent") || this.#numbers.has(id)) return null;
    const isInbound = action === "received";
    const party = otherParty(data, isInbound);
    if (!party.number) return null;
    const thread = this.#thread(party.number);
    thread.name = party.name || thread.name;
    const message = { id, isInbound, text: textOf(data.text), at, status: isInbound ? "" : displayText(data.status), isAutomatic: data.automatic === true };
    this.#numbers.set(id, party.number);
    thread.messages.push(message);
    for (const removed of thread.messages.splice(0, Math.max(0, thread.messages.length - MAX_MESSAGES))) this.#numbers.delete(removed.id);
    thread.at = Math.max(thread.at, at);
    thread.version += 1;
    if (!isInbound) {
      if (!message.isAutomatic) thread.unread = 0; // A person has read the messages before the reply.
      return null;
    }
    const keyword = message.text.slice(0, MAX_KEYWORD).replace(AROUND, "").toLowerCase();
    if (STOP.has(keyword)) thread.optedOutAt ??= at;
    else if (START.has(keyword)) thread.optedOutAt = null;
    if (!isNew) return null;
    thread.unread += 1;
    return thread;
  }

  /** @param {string} id @param {string} status */
  #setStatus(id, status) {
    const thread = this.byNumber.get(this.#numbers.get(id) ?? "");
    const message = thread?.messages.find((each) => each.id === id);
    if (!thread || !message || !status || message.status === status) return;
    message.status = status;
    thread.version += 1;
  }

  /** @param {string} number */
  #thread(number) {
    let thread = this.byNumber.get(number);
    if (!thread) {
      thread = { number, name: "", messages: [], unread: 0, optedOutAt: null, at: 0, version: 0 };
      this.byNumber.set(number, thread);
      const oldest = this.byNumber.size > MAX_THREADS && this.sorted.findLast((each) => each !== thread);
      if (oldest) this.byNumber.delete(oldest.number);
    }
    return thread;
  }
}
