/** The client's side of the protocol: messages to send, and the meaning of frames. Sans-I/O. */

import { Positions, readCursor } from "./positions.js";
import { CloseCode, isObject, MAX_QUOTED, strings } from "./protocol.js";

/** @typedef {import("./protocol.js").Gap} Gap */
/** @typedef {import("./protocol.js").Refusal} Refusal */

const MAX_TOPICS = 100; // In one message: the gateway's default limit.
const RATE_LIMIT_TRIES = 5;
const MAX_RETRY_SECONDS = 60;

/** @typedef {{ topics: Set<string>, done: (refusals: Refusal[]) => void, refusals: Refusal[] }} PendingCall */

/** Calls that wait until each of their topics is answered; then `done(refusals)` is called once. */
class PendingCalls {
  /** @type {Set<PendingCall>} */ #calls = new Set();

  /** Add a call, and return a function that removes it. @param {string[]} topics @param {PendingCall["done"]} done */
  add(topics, done) {
    /** @type {PendingCall} */
    const call = { topics: new Set(topics), done, refusals: [] };
    if (call.topics.size) this.#calls.add(call);
    else done([]);
    return () => void this.#calls.delete(call);
  }

  get topics() {
    return [...this.#calls].flatMap(({ topics }) => [...topics]);
  }

  /** Answer the calls that wait for these topics. @param {string[]} topics @param {Refusal | null} refusal */
  settle(topics, refusal = null) {
    for (const call of [...this.#calls]) {
      const answered = topics.filter((topic) => call.topics.delete(topic));
      if (!answered.length) continue;
      if (refusal) call.refusals.push({ ...refusal, topics: answered });
      if (call.topics.size) continue;
      this.#calls.delete(call);
      call.done(call.refusals);
    }
  }
}

/** @typedef {"subscribe" | "unsubscribe"} Action */
/** @typedef {{ isOpening?: boolean, resumes?: boolean, since?: string | null, reason?: string, filter?: object | null }} RequestDetails */
/** @typedef {{ action: Action, waiting: Set<string>, tries: number, isAcked?: boolean } & RequestDetails} Request */

/** The client's side of the protocol, across connections. Sans-I/O: it has no socket and no clock, and acts through `out`. */
export class Conversation {
  positions;
  /** @type {Refusal | null} */ notice = null; // Sent by the gateway just before it closes the connection.
  /** @type {boolean | null} */ recovered = null; // Whether this connection resumed; `null` if there was nothing to resume.
  /** @type {Map<string, object | null>} */ #filters = new Map(); // Of each wanted topic that has one.
  /** @type {Map<string, boolean>} */ #topics = new Map(); // Wanted topics; the value is whether one was granted before.
  /** @type {Set<string>} */ #live = new Set();
  /** @type {Map<number, Request>} */ #requests = new Map();
  #lastNumber = 0;
  #subscribing = new PendingCalls();
  #unsubscribing = new PendingCalls();
  #isOpen = false;
  #out;

  /**
   * @param {string | null} cursor
   * @param {{ [name in "event" | "gap" | "refusal" | "error"]: (detail: any) => void } & { send(message: object, afterMs?: number): void }} out
   */
  constructor(cursor, out) {
    this.positions = new Positions(cursor);
    this.#out = out;
    this.resumesFirst = this.positions.cursor !== null; // Whether the first connection resumes, from the given cursor.
  }

  get isReady() {
    return this.#isOpen && ![...this.#requests.values()].some(({ isOpening }) => isOpening);
  }

  get #isResuming() {
    return [...this.#requests.values()].some(({ resumes, isAcked }) => resumes && !isAcked);
  }

  opened() {
    this.#isOpen = true;
    this.resumesFirst = false;
    this.notice = this.recovered = null;
    this.positions.startConnection();
    const since = this.positions.cursor;
    for (const wasGranted of [true, false]) {
      const topics = [...this.#topics].filter(([, each]) => each === wasGranted).map(([topic]) => topic);
      this.#request("subscribe", topics, wasGranted ? { isOpening: true, resumes: true, since } : { isOpening: true });
    }
  }

  lost() {
    this.#isOpen = false;
    this.#requests.clear();
    this.#live.clear();
    this.#unsubscribing.settle(this.#unsubscribing.topics);
  }

  /**
   * Subscribe, or replace the filter of topics, and return a function that forgets `done`.
   *
   * @param {string[]} topics
   * @param {PendingCall["done"]} done
   * @param {object | null} filter
   */
  subscribe(topics, done, filter = null) {
    const text = JSON.stringify(filter);
    const added = topics.filter((topic) => !this.#topics.has(topic) || this.#filterText(topic) !== text);
    for (const topic of added) {
      if (!this.#topics.has(topic)) this.#topics.set(topic, this.resumesFirst);
      this.#filters.set(topic, filter);
      this.#live.delete(topic);
    }
    const forget = this.#subscribing.add(topics.filter((topic) => !this.#live.has(topic)), done);
    if (this.#isOpen) this.#request("subscribe", added);
    return forget;
  }

  /** @param {string[]} topics @param {() => void} done */
  unsubscribe(topics, done) {
    const removed = topics.filter((topic) => this.#topics.delete(topic));
    for (const topic of removed) this.#live.delete(topic);
    this.#unsubscribing.add(this.#isOpen ? removed : [], done);
    if (this.#isOpen) this.#request("unsubscribe", removed);
  }

  /** @param {Action} action @param {string[]} topics @param {RequestDetails} details */
  #request(action, topics, details = {}) {
    /** @type {Map<string, string[]>} */
    const groups = new Map();
    for (const topic of topics) {
      const text = action === "subscribe" ? this.#filterText(topic) : "";
      groups.set(text, [...(groups.get(text) ?? []), topic]);
    }
    for (const group of groups.values()) {
      for (let start = 0; start < group.length; start += MAX_TOPICS) {
        const some = group.slice(start, start + MAX_TOPICS);
        const filter = action === "subscribe" ? this.#filters.get(some[0]) : null;
        this.#out.send(this.#message({ action, waiting: new Set(some), tries: 0, ...details, filter }, some));
      }
    }
  }

  /** @param {string} topic */
  #filterText(topic) {
    return JSON.stringify(this.#filters.get(topic) ?? null);
  }

  /** @param {Request} request @param {string[]} topics */
  #message(request, topics) {
    const number = (this.#lastNumber += 1);
    this.#requests.set(number, request);
    const { action: type, since, filter } = request;
    return { type, topics, request_id: number, ...(since ? { since } : {}), ...(filter ? { filter } : {}) };
  }

  /** Process one frame. A frame of an unknown kind is ignored: a newer gateway may send more kinds. @param {any} frame */
  receive(frame) {
    if ("event_type" in frame) this.#event(frame);
    else if (frame.type === "ack") this.#ack(frame);
    else if (frame.type === "error") this.#error(frame);
    else if (frame.type === "pong") this.#advance(frame);
  }

  /** @param {any} frame */
  #event(frame) {
    if (typeof frame.event_type !== "string" || typeof frame.topic !== "string" || !isObject(frame.data)) {
      throw new TypeError(`An event that cannot be read is ignored: ${JSON.stringify(frame).slice(0, MAX_QUOTED)}`);
    }
    // It is not stored: its cursor says where its content holds.
    if (frame.ephemeral) return this.#out.event(frame);
    const positions = readCursor(frame.cursor) ?? new Map();
    if (this.positions.isRepetition(positions)) return;
    this.positions.delivered(positions, this.#isResuming);
    this.#out.event(frame);
  }

  /** Take over the complete cursor of a frame, unless topics are still to be replayed. @param {any} frame */
  #advance(frame) {
    const positions = readCursor(frame.cursor);
    if (positions !== null && !this.#isResuming) this.positions.complete(positions);
  }

  /** @param {any} frame @param {string[]} topics */
  #requestFor(frame, topics) {
    if (typeof frame.request_id === "number") return this.#requests.get(frame.request_id);
    if (frame.request_id !== undefined && frame.request_id !== null) return undefined;
    return [...this.#requests.values()].find(({ action, waiting }) => action === frame.action && topics.every((topic) => waiting.has(topic)));
  }

  /** @param {Request} request @param {string[]} topics */
  #settle(request, topics) {
    for (const topic of topics) request.waiting.delete(topic);
    if (request.waiting.size) return;
    for (const [number, each] of this.#requests) if (each === request) this.#requests.delete(number);
  }

  /** @param {any} frame */
  #ack(frame) {
    const topics = strings(frame.topics);
    const request = this.#requestFor(frame, topics);
    if (request) {
      request.isAcked = true;
      this.#settle(request, topics);
    }
    if (frame.action === "unsubscribe") this.#unsubscribing.settle(topics);
    if (frame.action !== "subscribe") return;
    const gap = request?.resumes ? this.#gap(request, frame, topics) : null;
    this.#advance(frame);
    for (const topic of topics.filter((each) => this.#topics.has(each))) {
      this.#topics.set(topic, true);
      this.#live.add(topic);
    }
    if (gap) this.#out.gap(gap);
    this.#subscribing.settle(topics);
    // A topic may have been unsubscribed while the request was on its way, or waited for a retry.
    const leaving = [...this.#requests.values()].filter(({ action }) => action === "unsubscribe");
    const isUnwanted = (/** @type {string} */ topic) => !this.#topics.has(topic) && !leaving.some(({ waiting }) => waiting.has(topic));
    this.#request("unsubscribe", topics.filter(isUnwanted));
  }

  /** @param {Request} request @param {any} frame @param {string[]} topics @returns {Gap | null} */
  #gap(request, frame, topics) {
    if (frame.recovered === true) {
      this.recovered = this.recovered !== false;
      return null;
    }
    this.recovered = false;
    this.positions.notRecovered(readCursor(frame.cursor) ?? new Map());
    const unknown = request.since ? "the server does not resume" : "the server keeps no cursor";
    return { topics, reason: String(request.reason || frame.reason || unknown), cursor: frame.cursor || null };
  }

  /** @param {any} frame */
  #error(frame) {
    const topics = strings(frame.topics);
    const request = this.#requestFor(frame, topics);
    const retry = typeof frame.retry === "boolean" ? frame.retry : null;
    const retryAfter = typeof frame.retry_after === "number" ? frame.retry_after : undefined;
    const refusal = { topics, code: String(frame.code ?? ""), message: String(frame.message ?? ""), retry, retryAfter };
    if (request) this.#refused(request, refusal);
    else if (topics.length) this.#remove(refusal); // Not an answer: the gateway withdraws the topics.
    else if (refusal.code in CloseCode || retry !== null) this.notice = { ...refusal, retry: retry !== false };
    else this.#out.error(new Error(`The server says ${refusal.code}: ${refusal.message}`));
  }

  /** @param {Request} request @param {Refusal} refusal */
  #refused(request, refusal) {
    if (!refusal.topics.length) {
      // The gateway rejected the whole message, possibly for its cursor, which another kind of server gave.
      const topics = [...request.waiting].sort();
      if (request.since) {
        this.#settle(request, topics);
        this.#request("subscribe", topics, { resumes: true, isOpening: request.isOpening, reason: refusal.message });
        return;
      }
      refusal = { ...refusal, topics };
    }
    const { topics } = refusal;
    this.#settle(request, topics);
    if (request.action === "unsubscribe") {
      this.#unsubscribing.settle(topics, refusal);
      return;
    }
    const isAwaited = this.#subscribing.topics.some((topic) => topics.includes(topic));
    if (refusal.code === "RATE_LIMITED" && request.tries < RATE_LIMIT_TRIES && !isAwaited) {
      // No call waits that could get the refusal, and the gateway only wants a slower pace.
      const again = { ...request, waiting: new Set(topics), tries: request.tries + 1, isAcked: false };
      const seconds = Math.max(2 ** request.tries, Math.min(refusal.retryAfter ?? 0, MAX_RETRY_SECONDS));
      this.#out.send(this.#message(again, topics), 1000 * seconds);
      return;
    }
    this.#remove(refusal);
  }

  /** Remove refused topics. Calls that wait for them get the refusal, and a refusal without a call is reported. @param {Refusal} refusal */
  #remove(refusal) {
    for (const topic of refusal.topics) {
      this.#topics.delete(topic);
      this.#live.delete(topic);
    }
    const awaited = new Set(this.#subscribing.topics);
    this.#subscribing.settle(refusal.topics, refusal);
    const topics = refusal.topics.filter((topic) => !awaited.has(topic));
    if (topics.length) this.#out.refusal({ ...refusal, topics });
  }
}
