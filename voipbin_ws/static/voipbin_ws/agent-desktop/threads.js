/** Conversations by text message, one for each number, as events tell of them. Knows no page and no clock. */

import { partyOf, displayText } from "../shared/call.js";
import { parseTime } from "../shared/time.js";

const MAX_THREADS = 500;
const MAX_MESSAGES = 200;
const MAX_TEXT = 5000;
const AROUND = /^[\s.,!?"'“”’]+|[\s.,!?"'“”’]+$/g;
// As the gateway knows them: subscriptions/opting_out.py.
const STOP = new Set(["stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke"]);
const START = new Set(["start", "unstop"]);

/** Text of a message, with its lines. */
function textOf(value) {
  if (typeof value !== "string") return "";
  // eslint-disable-next-line no-control-regex
  const clean = value.slice(0, MAX_TEXT).replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]+/g, " ");
  return value.length > MAX_TEXT ? `${clean}…` : clean;
}

function otherSide(data, isInbound) {
  const first = Array.isArray(data.targets) ? data.targets[0]?.destination : undefined;
  return partyOf(isInbound ? data.source : (data.destination ?? first));
}

export class Threads {
  constructor() {
    this.clear();
  }

  clear() {
    this.byNumber = new Map(); // number -> { number, name, messages, unread, optedOutAt, at, version }
    this.#numbers = new Map(); // message id -> number
  }

  #numbers;

  /** Threads, the one with the latest message first. */
  get sorted() {
    return [...this.byNumber.values()].sort((one, other) => other.at - one.at || (one.number < other.number ? -1 : 1));
  }

  /** Take in one event of a message; returns the thread of a new message from outside. */
  apply(event, now, { isNew = true } = {}) {
    const [resource, action] = event.event_type.split(".", 2);
    if (resource !== "message") return null;
    const { data } = event;
    const id = event.topic.split(":")[3];
    const at = Math.min(parseTime(event.timestamp) ?? now, now);
    if (action === "delivery" && this.#numbers.has(id)) {
      this.#delivered(id, data);
      return null;
    }
    if (action !== "received" && action !== "sent") return null;
    if (this.#numbers.has(id)) return null;
    const isInbound = action === "received";
    const side = otherSide(data, isInbound);
    if (!side.number) return null;
    const thread = this.#thread(side.number);
    thread.name = side.name || thread.name;
    const message = { id, isInbound, text: textOf(data.text), at, status: isInbound ? "" : displayText(data.status), isAutomatic: data.automatic === true };
    this.#numbers.set(id, side.number);
    thread.messages.push(message);
    for (const { id: gone } of thread.messages.splice(0, Math.max(0, thread.messages.length - MAX_MESSAGES))) this.#numbers.delete(gone);
    thread.at = Math.max(thread.at, at);
    thread.version += 1;
    if (!isInbound) {
      if (!message.isAutomatic) thread.unread = 0; // Somebody has read what they answer.
      return null;
    }
    const word = message.text.slice(0, 64).replace(AROUND, "").toLowerCase();
    if (STOP.has(word)) thread.optedOutAt ??= at;
    else if (START.has(word)) thread.optedOutAt = null;
    if (!isNew) return null;
    thread.unread += 1;
    return thread;
  }

  #delivered(id, data) {
    const thread = this.byNumber.get(this.#numbers.get(id));
    const message = thread?.messages.find((each) => each.id === id);
    const status = displayText(data.status);
    if (!message || !status || message.status === status) return;
    message.status = status;
    thread.version += 1;
  }

  #thread(number) {
    let thread = this.byNumber.get(number);
    if (!thread) {
      thread = { number, name: "", messages: [], unread: 0, optedOutAt: null, at: 0, version: 0 };
      this.byNumber.set(number, thread);
      if (this.byNumber.size > MAX_THREADS) this.byNumber.delete(this.sorted.findLast((each) => each !== thread).number);
    }
    return thread;
  }
}
