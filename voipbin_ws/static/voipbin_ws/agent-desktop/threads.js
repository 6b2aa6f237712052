/** Conversations by text message, one for each number, computed from events. Sans-I/O. */

import { partyOf } from "../shared/call.js";
import { HIDDEN, isMasked } from "../shared/masked.js";
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

export class Threads {
  /** @type {Dialing | null} */ dialing = null; // How the customer's region dials, for equal numbers in several spellings.
  /** @type {Map<string, Thread>} */ byNumber = new Map(); // By key, see `keyOf`.
  /** @type {Map<string, string>} */ #numbers = new Map(); // Keys of threads, by message id.
  /** @type {Map<string, string>} */ #formerKeys = new Map(); // As #numbers, before the conversations were read again.
  /** @type {Map<string, string>} */ #early = new Map(); // Delivery states that came before their message, by its id.
  #cursor = ""; // Where the log was when the conversations were read.

  clear() {
    this.byNumber.clear();
    this.#numbers.clear();
    this.#formerKeys.clear();
    this.#early.clear();
    this.#cursor = "";
  }

  /** Forget all but the keys of the threads. */
  restart() {
    const keys = new Map(this.#numbers);
    this.clear();
    this.#formerKeys = keys;
  }

  /**
   * Return the key of a message's thread: its number in E.164; the id of a message if the number is withheld, or masked: those of several people are masked alike.
   * @param {string | null} number @param {string} id
   */
  keyOf(number, id) {
    return number === null || isMasked(number) ? (this.#numbers.get(id) ?? this.#formerKeys.get(id) ?? id) : canonicalNumber(number, this.dialing);
  }

  /** Add conversations, of which the last message alone is known. @param {{ items: any[], cursor: string }} page A page of /v1.0/conversations. @param {number} now */
  load({ items, cursor }, now) {
    this.#cursor ||= cursor;
    for (const { number, name, opted_out_at: optedOutAt, last } of items) {
      const key = this.keyOf(number, last.resource_id);
      if (this.byNumber.get(key)?.messages.length) continue; // A later page repeats a number.
      const thread = this.begin(key, number ?? "", now); // A masked number is shown, but is no one's key.
      thread.name ||= displayText(name);
      thread.optedOutAt = parseTime(optedOutAt);
      this.#join(thread, [last], now);
      thread.at = thread.messages.at(-1)?.at ?? now;
    }
  }

  /**
   * Add a page of a conversation's messages, and return the thread that has them: of those that have some of these messages the one with the key `open`, or the first.
   * @param {string} key @param {{ items: any[], next: string | null }} page The newest first. @param {number} now
   */
  loadMessages(key, { items, next }, now, open = "") {
    const thread = this.byNumber.get(key);
    if (!thread) return null;
    const keys = new Set([key, ...items.map(({ resource_id: id }) => this.#numbers.get(id))]);
    const found = [...this.byNumber.values()].filter((each) => keys.has(each.key));
    const kept = found.find((each) => each.key === open) ?? found[0];
    for (const other of found) if (other !== kept) this.#absorb(kept, other);
    this.#join(kept, items, now);
    if (kept === thread || kept.next === undefined) kept.next = next;
    return kept;
  }

  /** Move the messages of a thread to another one of the same number. @param {Thread} kept @param {Thread} other */
  #absorb(kept, other) {
    this.byNumber.delete(other.key);
    for (const { id, isInbound, text } of other.messages) {
      this.#numbers.set(id, kept.key);
      if (isInbound) this.#applyWish(kept, text, other.at);
    }
    const isAnswered = other.messages.some(({ isInbound, isAutomatic }) => !isInbound && !isAutomatic);
    kept.messages.push(...other.messages);
    kept.unread = (isAnswered ? 0 : kept.unread) + other.unread;
    kept.name ||= other.name;
    kept.at = Math.max(kept.at, other.at);
  }

  /** Return the thread of a number, a new one if there is none. @param {string} key @param {string} number @param {number} at */
  begin(key, number, at) {
    const known = this.byNumber.get(key);
    if (known) return known;
    const thread = this.#thread(key, number);
    thread.at = at;
    return thread;
  }

  /** Add messages to those of a thread, in the order of the log. @param {Thread} thread @param {any[]} items States of messages, the newest first. @param {number} now */
  #join(thread, items, now) {
    const known = new Map(thread.messages.map((message) => [message.id, message]));
    const ids = new Set(items.map(({ resource_id: id }) => id));
    const first = thread.messages.findIndex(({ id }) => ids.has(id));
    /** @type {Message[]} */
    const joined = [];
    for (const { resource_id: id, event_type: eventType, since, data } of items) {
      const isInbound = eventType === "message.received" || data.direction === "inbound";
      this.#numbers.set(id, thread.key);
      const party = otherParty(data, isInbound);
      thread.name ||= party.name;
      if (thread.number === HIDDEN) thread.number = party.number;
      joined.unshift(known.get(id) ?? messageOf(id, isInbound, data, pastTime(since, now)));
    }
    // Not sorted by time: clocks of publishers differ, and an answer stands after its question in the log.
    const older = thread.messages.slice(0, Math.max(0, first));
    const newer = thread.messages.slice(older.length).filter(({ id }) => !ids.has(id));
    thread.messages = [...older, ...joined, ...newer];
    thread.version += 1;
  }

  /** The threads, the one with the latest message first. */
  get sorted() {
    return [...this.byNumber.values()].sort((one, other) => other.at - one.at || (one.key < other.key ? -1 : 1));
  }

  /** Apply an event, and return the thread of a new message. @param {GatewayEvent} event @param {number} now */
  apply(event, now) {
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
    const thread = this.#thread(this.keyOf(isAnonymous ? null : party.number, id), isAnonymous ? "" : party.number);
    thread.name = party.name || thread.name;
    const message = messageOf(id, isInbound, data, at);
    message.status = this.#early.get(id) ?? message.status;
    this.#early.delete(id);
    this.#numbers.set(id, thread.key);
    thread.messages.push(message);
    for (const removed of thread.messages.splice(0, Math.max(0, thread.messages.length - MAX_MESSAGES))) this.#numbers.delete(removed.id);
    thread.at = Math.max(thread.at, at);
    thread.version += 1;
    if (isInbound) {
      if (typeof data.text === "string") this.#applyWish(thread, data.text, at);
      thread.unread += 1;
    } else if (!message.isAutomatic) thread.unread = 0; // A person has read the messages before the reply.
    return thread;
  }

  /** Note whether the other party wants messages. @param {Thread} thread @param {string} text @param {number} at */
  #applyWish(thread, text, at) {
    const wantsNone = optsOut(text);
    if (wantsNone) thread.optedOutAt ??= at;
    else if (wantsNone === false) thread.optedOutAt = null;
  }

  /** @param {string} id @param {string} status */
  #setStatus(id, status) {
    const thread = this.byNumber.get(this.#numbers.get(id) ?? "");
    const message = thread?.messages.find((each) => each.id === id);
    if (!this.#numbers.has(id) && status) {
      if (this.#early.size >= MAX_MESSAGES) this.#early.clear();
      this.#early.set(id, status);
    }
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
      if (oldest) {
        this.byNumber.delete(oldest.key);
        for (const { id } of oldest.messages) this.#numbers.delete(id); // They are read again with the conversation.
      }
    }
    return thread;
  }
}
