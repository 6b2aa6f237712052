/** The queue of a publisher, and what an answer means for each call in a batch. Sans-I/O; the rules of the Python client's `publishing`. */

import { ConnectionFailed } from "./protocol.js";

/** @typedef {{ id: string, cursor: string, topics: string[], replayed: boolean, warnings?: string[] }} Receipt */
/** @typedef {{ index: number, field: string, message: string }} EventError */
/** @typedef {{ events: string[], resolve: (receipts: Receipt[]) => void, reject: (error: Error) => void }} Call Events as JSON, which are stored together. */
/** @typedef {{ status: number, code: string | null, message: string, errors: EventError[], retryAfterMs: number }} PublishAnswer `code` is `null` if an intermediary answered. */

const MAX_EVENTS = 1000; // The gateway's limit for one request.
const MAX_BATCH_CHARACTERS = 512 * 1024; // From here on no further call joins a batch: a larger one would only be stored later.
const FINAL = new Set([400, 403, 409, 413, 415, 500]); // The same request would be answered alike.

/** The queue has no room: the gateway does not take as many events as are published. None of the call's events was queued. */
export class QueueFull extends Error {
  /** @param {number} waiting @param {number} most */
  constructor(waiting, most) {
    super(`${waiting} events wait for the gateway, of at most ${most}`);
    this.name = "QueueFull";
    this.waiting = waiting;
    this.most = most;
  }
}

/** The gateway refuses the events of one call, and has stored none. `errors` has the index in the call, the field and the message of each mistake. */
export class PublishRefused extends Error {
  /** @param {PublishAnswer} answer @param {EventError[]} errors */
  constructor({ status, code, message }, errors) {
    super(message);
    this.name = "PublishRefused";
    this.status = status;
    this.code = code ?? "";
    this.errors = errors;
  }
}

/** Encode events, each with an idempotency key, so that an attempt can be repeated. @param {object[]} events @returns {string[]} */
export function encodeEvents(events) {
  if (!events.length || events.length > MAX_EVENTS) throw new RangeError(`1 to ${MAX_EVENTS} events are stored together, not ${events.length}`);
  return events.map((event) => JSON.stringify({ idempotency_key: newKey(), ...event }));
}

/** Return 128 random bits as hex digits. Not by `crypto`, which Node 18 and pages without TLS lack: a key is no secret. */
function newKey() {
  const part = () => Math.floor(Math.random() * 2 ** 32).toString(16).padStart(8, "0");
  return part() + part() + part() + part();
}

/** Read an answer that is not 201. @param {number} status @param {string | null} retryAfter @param {any} content @returns {PublishAnswer} */
export function readPublishAnswer(status, retryAfter, content) {
  if (typeof content?.code !== "string") {
    return { status, code: null, message: `An intermediary answered ${status}, not the gateway`, errors: [], retryAfterMs: 0 };
  }
  const errors = Array.isArray(content.errors) ? content.errors.filter((/** @type {any} */ error) => Number.isInteger(error?.index)) : [];
  const seconds = /^\d+$/.test(retryAfter ?? "") ? Number(retryAfter) : 0;
  return { status, code: content.code, message: String(content.message ?? ""), errors, retryAfterMs: 1000 * seconds };
}

/**
 * What follows from an answer: `refuse` the calls that are to blame, `split` the batch because that is not known, `renew` the
 * credential, or `retry`.
 * @param {PublishAnswer} answer @param {Call[]} batch @returns {"refuse" | "split" | "renew" | "retry"}
 */
export function decide(answer, batch) {
  if (answer.code === null) return "retry";
  if (answer.status === 401) return "renew";
  if (!FINAL.has(answer.status)) return "retry";
  return batch.length === 1 || refusals(answer, batch).some(Boolean) ? "refuse" : "split";
}

/** The error of each call; `null` if the call is not to blame. @param {PublishAnswer} answer @param {Call[]} batch */
export function refusals(answer, batch) {
  let start = 0;
  return batch.map(({ events }) => {
    const from = start;
    start += events.length;
    const own = answer.errors.filter(({ index }) => from <= index && index < from + events.length);
    return own.length || batch.length === 1 ? new PublishRefused(answer, own.map((error) => ({ ...error, index: error.index - from }))) : null;
  });
}

/** The calls that are not stored yet. */
export class Batches {
  waiting = 0; // Events.
  /** @type {Call[]} */ #calls = [];
  #maxCalls = MAX_EVENTS;
  #most;

  /** @param {number} most The largest number of events. */
  constructor(most) {
    this.#most = most;
  }

  /** Throws QueueFull if there is no room. @param {Call} call */
  add(call) {
    if (this.waiting + call.events.length > this.#most) throw new QueueFull(this.waiting, this.#most);
    this.#calls.push(call);
    this.waiting += call.events.length;
  }

  /** The calls of the next batch, which stay in the queue. */
  next() {
    let events = 0;
    let characters = 0;
    const end = this.#calls.findIndex((call, index) => {
      const isFull = index >= this.#maxCalls || events + call.events.length > MAX_EVENTS || characters > MAX_BATCH_CHARACTERS;
      events += call.events.length;
      characters += call.events.reduce((sum, { length }) => sum + length, 0);
      return index > 0 && isFull;
    });
    return this.#calls.slice(0, end < 0 ? undefined : end);
  }

  /** Remove calls that are stored or refused. @param {Call[]} calls */
  remove(calls) {
    const removed = new Set(calls);
    this.#calls = this.#calls.filter((call) => !removed.has(call));
    for (const { events } of calls) this.waiting -= events.length;
    this.#maxCalls = Math.min(MAX_EVENTS, this.#maxCalls * 2);
  }

  /** Put at most half as many calls as this batch has into the next one. @param {Call[]} batch */
  split(batch) {
    this.#maxCalls = Math.max(1, Math.floor(batch.length / 2));
  }

  /** End all calls. @param {Error} error */
  end(error = new ConnectionFailed("CLOSED", "The publisher was closed")) {
    const calls = this.#calls.splice(0);
    this.waiting = 0;
    for (const { reject } of calls) reject(error);
  }
}
