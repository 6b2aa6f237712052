/** Conversations by text message, one for each number, computed from events. Sans-I/O. */

import { partyOf } from "../shared/call.js";
import { isMasked } from "../shared/masked.js";
import { canonicalNumber, optsOut } from "../shared/phone-number.js";
import { isContained } from "../shared/resource-state.js";
import { displayText, withoutInvisible } from "../shared/text.js";
import { parseTime, pastTime } from "../shared/time.js";

const MAX_THREADS = 500;
const MAX_MESSAGES = 500;
const MAX_TEXT = 5000;
const ANONYMOUS = new Set(["anonymous", "unknown", "restricted", "private", "unavailable"]);

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

/** @param {string} id @param {boolean} isInbound @param {any} data @param {number} at @returns {Message} */
function messageOf(id, isInbound, data, at) {
  return { id, isInbound, text: textOf(data.text), at, status: isInbound ? "" : displayText(data.status), isAutomatic: data.automatic === true };
}

/**
 * Return the key of a message's thread: its number in E.164; its id if the number is withheld, or masked: those of several people are masked alike.
 * @param {string | null} number @param {string} id @param {Dialing | null} dialing
 */
export function threadKey(number, id, dialing) {
  return number === null || isMasked(number) ? id : canonicalNumber(number, dialing);
}

export class Threads {
  /** @type {Dialing | null} */ dialing = null; // How the customer's region dials, for equal numbers in several spellings.
  /** @type {Map<string, Thread>} */ byNumber = new Map(); // By the number in E.164, or a message's id if it has none.
  /** @type {Map<string, string>} */ #numbers = new Map(); // Keys of threads, by message id.
  #cursor = ""; // Where the log was when the conversations were read.

  clear() {
    this.byNumber.clear();
    this.#numbers.clear();
    this.#cursor = "";
  }

  /** Add conversations, of which the last message alone is known. @param {{ items: any[], cursor: string }} page A page of /v1.0/conversations. @param {number} now */
  load({ items, cursor }, now) {
    this.#cursor ||= cursor;
    for (const { number, name, opted_out_at: optedOutAt, last } of items) {
      const key = threadKey(number, last.resource_id, this.dialing);
      if (this.byNumber.get(key)?.messages.length) continue; // A later page repeats a number.
      const thread = this.begin(key, number ?? "", now); // A masked number is shown, but is no one's key.
      thread.name ||= displayText(name);
      thread.optedOutAt = parseTime(optedOutAt);
      this.#add(thread, [last], now);
      thread.at = thread.messages.at(-1)?.at ?? now;
    }
  }

  /** Add a page of a conversation's messages. @param {string} key @param {{ items: any[], next: string | null }} page The newest first. @param {number} now */
  loadMessages(key, { items, next }, now) {
    const thread = this.byNumber.get(key);
    if (!thread) return;
    thread.next = next;
    this.#add(thread, items, now);
  }

  /** Return the thread of a number, a new one if there is none. @param {string} key @param {string} number @param {number} at */
  begin(key, number, at) {
    const known = this.byNumber.get(key);
    if (known) return known;
    const thread = this.#thread(key, number);
    thread.at = at;
    return thread;
  }

  /** @param {Thread} thread @param {any[]} items States of messages, the newest first. @param {number} now */
  #add(thread, items, now) {
    /** @type {Message[]} */
    const added = [];
    for (const { resource_id: id, event_type: eventType, since, data } of items) {
      if (this.#numbers.has(id)) continue;
      const isInbound = eventType === "message.received" || data.direction === "inbound";
      this.#numbers.set(id, thread.key);
      thread.name ||= otherParty(data, isInbound).name;
      added.unshift(messageOf(id, isInbound, data, pastTime(since, now)));
    }
    // Not sorted by time: clocks of publishers differ, and an answer stands after its question in the log.
    thread.messages = [...added, ...thread.messages];
    thread.version += 1;
  }

  /** The threads, the one with the latest message first. */
  get sorted() {
    return [...this.byNumber.values()].sort((one, other) => other.at - one.at || (one.key < other.key ? -1 : 1));
  }

  /** Apply an event, and return the thread of a new inbound message. @param {GatewayEvent} event @param {number} now */
  apply(event, now, { isNew = true } = {}) {
    const [resource, action] = event.event_type.split(".", 2);
    if (resource !== "message") return null;
    if (this.#cursor && isContained(event.cursor, this.#cursor)) return null; // The conversations had it when they were read.
    const { data } = event;
    const id = event.topic.split(":")[3];
    const at = pastTime(event.timestamp, now);
    if (action === "delivery") this.#setStatus(id, displayText(data.status));
    if ((action !== "received" && action !== "sent") || this.#numbers.has(id)) return null;
    const isInbound = action === "received";
    const party = otherParty(data, isInbound);
    // Texts without a sender are not of one person.
    const isAnonymous = !party.number || ANONYMOUS.has(party.number.toLowerCase());
    const thread = this.#thread(threadKey(isAnonymous ? null : party.number, id, this.dialing), isAnonymous ? "" : party.number);
    thread.name = party.name || thread.name;
    const message = messageOf(id, isInbound, data, at);
    this.#numbers.set(id, thread.key);
    thread.messages.push(message);
    for (const removed of thread.messages.splice(0, Math.max(0, thread.messages.length - MAX_MESSAGES))) this.#numbers.delete(removed.id);
    thread.at = Math.max(thread.at, at);
    thread.version += 1;
    if (!isInbound) {
      if (!message.isAutomatic) thread.unread = 0; // A person has read the messages before the reply.
      return null;
    }
    const wantsNone = typeof data.text === "string" ? optsOut(data.text) : null;
    if (wantsNone) thread.optedOutAt ??= at;
    else if (wantsNone === false) thread.optedOutAt = null;
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

  /** @param {string} key @param {string} number */
  #thread(key, number) {
    let thread = this.byNumber.get(key);
    if (!thread) {
      thread = { key, number, name: "", messages: [], unread: 0, optedOutAt: null, at: 0, version: 0, next: undefined };
      this.byNumber.set(key, thread);
      const oldest = this.byNumber.size > MAX_THREADS && this.sorted.findLast((each) => each !== thread);
      if (oldest) this.byNumber.delete(oldest.key);
    }
    return thread;
  }
}
