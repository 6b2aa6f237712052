/**
 * Publishes events in order, through outages and restarts of the gateway. Each is stored once.
 *
 *     const publisher = new Publisher({ url: "https://ws.example.com", token: key });
 *     const [receipt] = await publisher.publish({ event_type: "call.created", data: { id: "c1" } });
 */

import { Backoff, MAX_AWAY_PAUSE_MS, MAX_PAUSE_MS } from "./backoff.js";
import { ConnectionFailed } from "./protocol.js";
import { Batches, decide, encodeEvents, PublishRefused, QueueFull, readPublishAnswer, refusals } from "./publish-batches.js";

export { PublishRefused, QueueFull };

/** @typedef {import("./publish-batches.js").Call} Call */
/** @typedef {import("./publish-batches.js").PublishAnswer} PublishAnswer */
/** @typedef {import("./publish-batches.js").Receipt} Receipt */

const ANSWER_MS = 30_000; // The gateway itself answers 503 after five seconds without its database.
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * @typedef {object} PublisherOptions
 * @property {string | URL} url The gateway's address, without a path.
 * @property {string | ((why: { reason: "connect" | "refused" }) => Promise<string> | string)} token The credential, or a function
 *   that returns it, as for EventClient.
 * @property {number} [maxWaiting] The largest number of events that wait for the gateway; beyond it `publish` rejects with QueueFull.
 * @property {typeof globalThis.fetch} [fetch]
 * @property {() => number} [random]
 * @property {(milliseconds: number) => Promise<void>} [sleep]
 */

export class Publisher {
  /** Why the events in the queue are not stored yet; `null` while the gateway accepts them. @type {string | null} */
  trouble = null;
  #address;
  #options;
  #backoff;
  #batches;
  /** @type {string | null} */ #token = null;
  /** @type {"connect" | "refused"} */ #reason = "connect";
  /** @type {Promise<void> | null} */ #sending = null;
  /** @type {Error | null} */ #failure = null;
  /** @type {AbortController | null} */ #request = null;

  /** @param {PublisherOptions} options */
  constructor({ url, token, ...options }) {
    if (typeof token !== "function" && typeof token !== "string") {
      throw new TypeError("token is the credential, or a function that returns a promise of it");
    }
    const sleep = (/** @type {number} */ milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
    this.#options = { maxWaiting: 10_000, fetch: globalThis.fetch?.bind(globalThis), random: Math.random, sleep, token, ...options };
    this.#address = new URL("/v1.0/events", new URL(url, globalThis.location?.href));
    this.#backoff = new Backoff(this.#options.random);
    this.#batches = new Batches(this.#options.maxWaiting);
  }

  /** The number of events in the queue, which is in memory only. */
  get waiting() {
    return this.#batches.waiting;
  }

  /**
   * Publish events. The promise is fulfilled with their receipts once all of them are stored: all or none.
   *
   * An event has the fields of "Publishing" in the gateway's documentation. The promise is rejected with a QueueFull at once,
   * with a PublishRefused if the gateway refuses these events, and with a ConnectionFailed if it does not accept the credential
   * or the publisher is closed before.
   *
   * @param {...object} events
   * @returns {Promise<Receipt[]>}
   */
  async publish(...events) {
    if (this.#failure) throw this.#failure;
    const encoded = encodeEvents(events);
    return new Promise((resolve, reject) => {
      this.#batches.add({ events: encoded, resolve, reject });
      this.#sending ??= this.#sendAll();
    });
  }

  /** Wait until the queue is empty. */
  async flush() {
    while (this.#sending) await this.#sending;
  }

  /** Close at once. Events that still wait are discarded, and their promises rejected: call `flush` before. */
  close() {
    this.#stop(new ConnectionFailed("CLOSED", "The publisher was closed"));
  }

  /** @param {Error} error */
  #stop(error) {
    this.#failure ??= error;
    this.#request?.abort();
    this.#batches.end(error);
  }

  async #sendAll() {
    await Promise.resolve(); // Calls of the same turn share the first request.
    try {
      for (let batch = this.#batches.next(); batch.length; batch = this.#batches.next()) {
        const pauseMs = await this.#send(batch);
        if (pauseMs) await this.#options.sleep(pauseMs);
      }
    } catch (error) {
      this.#stop(error);
    }
    this.#sending = null;
  }

  /** Send a batch, and return the pause before the next request. @param {Call[]} batch @returns {Promise<number>} */
  async #send(batch) {
    const answer = await this.#post(batch);
    if (answer === null) return 0;
    switch (decide(answer, batch)) {
      case "split":
        this.#batches.split(batch);
        return 0;
      case "refuse": {
        const errors = refusals(answer, batch);
        this.#batches.remove(batch.filter((_, index) => errors[index]));
        batch.forEach(({ reject }, index) => errors[index] && reject(errors[index]));
        return 0;
      }
      case "renew":
        if (typeof this.#options.token !== "function" || this.#reason === "refused") throw new ConnectionFailed("UNAUTHORIZED", answer.message);
        this.#token = null;
        this.#reason = "refused";
        return 0;
    }
    this.trouble = answer.message;
    const pauseMs = this.#backoff.pause(answer.code === null ? MAX_AWAY_PAUSE_MS : MAX_PAUSE_MS);
    return Math.max(pauseMs, Math.min(answer.retryAfterMs, MAX_RETRY_AFTER_MS));
  }

  /** Post a batch, and fulfil its promises; return the answer if it is not 201. @param {Call[]} batch @returns {Promise<PublishAnswer | null>} */
  async #post(batch) {
    const { fetch, token } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`No answer within ${ANSWER_MS / 1000} s`)), ANSWER_MS);
    this.#request = late;
    let response;
    let content;
    try {
      this.#token ??= typeof token === "function" ? await token({ reason: this.#reason }) : token;
      response = await fetch(this.#address.href, {
        method: "POST",
        headers: { Authorization: `Bearer ${this.#token}`, "Content-Type": "application/json" },
        body: `[${batch.flatMap(({ events }) => events).join(",")}]`,
        signal: late.signal,
      });
      content = await response.json().catch(() => null);
    } catch (error) {
      return { status: 0, code: null, message: `The gateway does not answer: ${error?.message ?? error}`, errors: [], retryAfterMs: 0 };
    } finally {
      clearTimeout(timer);
    }
    if (response.status !== 201 || !Array.isArray(content)) {
      return readPublishAnswer(response.status, response.headers.get("Retry-After"), content);
    }
    this.trouble = null;
    this.#reason = "connect";
    this.#backoff = new Backoff(this.#options.random);
    this.#batches.remove(batch);
    let start = 0;
    for (const { events, resolve } of batch) resolve(content.slice(start, (start += events.length)));
    return null;
  }
}
