/** Loads state over REST, then applies live events from its cursor; knows how stale the page's data is. */

import { EventClient, State } from "../event-client.js";
import { ApiError, read, signOut, token } from "./auth.js";

/** @typedef {{ name: "connecting" | "live" | "reconnecting" | "offline" | "failed", retryAt: number | null, message: string | null }} Connection */
/** @typedef {{ topics: string[], event: EventHandler, onLive: () => void, abort: AbortController }} Subscription */

const PING_MS = 2000;
const SILENCE_MS = 5000;
const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 30_000;
const MAX_CLOCK_DIFFERENCE_MS = 2000;

export class LiveData {
  #callbacks;
  /** @type {EventClient | null} */ #client = null;
  #generation = 0; // Grows with every load and stop; results of an older load are ignored.
  #failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #confirmedUntil = 0;
  /** @type {Set<Subscription>} */ #subscriptions = new Set();
  /** @type {Connection} */ connection = { name: "connecting", retryAt: null, message: "" };
  /** @type {number | null} */ loadedAt = null;
  clockOffset = 0; // The gateway's clock minus the browser's, in milliseconds.

  /**
   * `load` reads the state of the page, and `state` is called when `connection` has changed.
   * @param {{ load(me: Me, now: number): Promise<Loaded>, event: EventHandler, state(): void, signedOut(message: string): void }} callbacks
   */
  constructor(callbacks) {
    this.#callbacks = callbacks;
  }

  start() {
    this.#failures = 0;
    this.#load();
  }

  stop() {
    this.#generation += 1;
    clearTimeout(this.#timer);
    this.#client?.close();
    this.#client = null;
    this.loadedAt = null;
  }

  /**
   * Subscribe to further topics, and return a function that unsubscribes them. `onLive` is called when the topics are live,
   * and again after each time events may have been missed.
   * @param {Omit<Subscription, "abort">} wanted
   */
  subscribe(wanted) {
    const subscription = { ...wanted, abort: new AbortController() };
    this.#subscriptions.add(subscription);
    this.#subscribe(subscription);
    return () => {
      this.#subscriptions.delete(subscription);
      subscription.abort.abort();
    };
  }

  /** When the data was last known to be current, in milliseconds of `Date.now()`. */
  get confirmedAt() {
    const lastReceivedAt = this.connection.name === "live" ? (this.#client?.lastReceivedAt ?? 0) : this.#confirmedUntil;
    return Math.max(this.loadedAt ?? 0, lastReceivedAt);
  }

  /** Whether the data may be outdated. */
  get isStale() {
    return this.loadedAt !== null && Date.now() - this.confirmedAt > SILENCE_MS;
  }

  get isLive() {
    return this.connection.name === "live" && !this.isStale;
  }

  /** The gateway's time in milliseconds since the epoch. It stands still while the data is stale. */
  get now() {
    return (this.isStale ? this.confirmedAt : Date.now()) + this.clockOffset;
  }

  /** End the session, because the gateway rejects the token or, without a message, because the user signs out. */
  endSession(message = "") {
    signOut();
    this.stop();
    this.#callbacks.signedOut(message);
  }

  async #load() {
    const generation = ++this.#generation;
    clearTimeout(this.#timer);
    this.#setConnection("connecting");
    this.#client?.close();
    this.#client = null;
    try {
      const { content: me, at } = await read("/v1.0/me");
      if (generation !== this.#generation) return;
      const offset = at === null ? 0 : at - Date.now();
      this.clockOffset = Math.abs(offset) > MAX_CLOCK_DIFFERENCE_MS ? offset : 0;
      const loaded = await this.#callbacks.load(me, Date.now() + this.clockOffset);
      if (generation !== this.#generation) return;
      loaded.show();
      if (!loaded.topics.length) return;
      this.loadedAt = Date.now();
      this.#follow(loaded);
    } catch (error) {
      if (generation === this.#generation) this.#onLoadError(error);
    }
  }

  /** Receive the events since the state was read, and from now on. @param {Loaded} loaded */
  #follow({ topics, cursor, needsAll = false }) {
    const client = (this.#client = new EventClient({
      url: "/v1.0/ws",
      token: () => token() ?? "",
      cursor,
      pingIntervalMs: PING_MS,
      pingTimeoutMs: SILENCE_MS - PING_MS,
    }));
    const isCurrent = () => client === this.#client;
    client.on("state", (change) => isCurrent() && this.#onClientState(client, change));
    client.on("gap", () => isCurrent() && this.#load());
    // The permissions have changed: load again what is left.
    client.on("refusal", ({ message }) => isCurrent() && (needsAll ? this.endSession(message) : this.#load()));
    client.on("error", (error) => console.warn(error));
    client
      .subscribe(topics, (event) => isCurrent() && this.#callbacks.event(event))
      .catch((error) => {
        if (!isCurrent()) return;
        if (needsAll && error?.name === "SubscribeError" && !error.retry) this.endSession(error.message);
        else this.#onLoadError(error);
      });
    for (const subscription of this.#subscriptions) this.#subscribe(subscription);
  }

  /** @param {Subscription} subscription */
  #subscribe({ topics, event, onLive, abort }) {
    const client = this.#client;
    client?.subscribe(topics, (each) => client === this.#client && event(each), { signal: abort.signal }).then(
      () => client === this.#client && onLive(),
      () => {}, // The page works without these topics.
    );
  }

  /** @param {any} error */
  #onLoadError(error) {
    if (error?.name === "ConnectionFailed") return; // `#onClientState` handles it.
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
      this.endSession(error.message);
      return;
    }
    const pause = Math.random() * Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#load(), pause);
    this.#setConnection(navigator.onLine === false ? "offline" : "reconnecting", Date.now() + pause, error.message);
  }

  /** @param {EventClient} client @param {import("../event-client.js").StateChange} change */
  async #onClientState(client, { current, retryInMs, code, reason }) {
    if (current === State.FAILED) {
      if (code === "UNAUTHORIZED") this.endSession("Your session has ended.");
      else if (code === "FORBIDDEN") this.endSession(reason ?? "");
      else this.#setConnection("failed", null, reason);
    } else if (current === State.RECONNECTING || current === State.SUSPENDED) {
      this.#setConnection(current === State.SUSPENDED ? "offline" : "reconnecting", Date.now() + (retryInMs ?? 0), reason);
    } else if (current === State.CONNECTED) {
      this.#failures = 0;
      this.#setConnection("connecting");
      // The pong follows all missed events: then the data is current.
      await client.ping().catch(() => {});
      if (client === this.#client && client.state === State.CONNECTED) this.#setConnection("live");
    }
  }

  /** @param {Connection["name"]} name @param {number | null} retryAt @param {string | null} message */
  #setConnection(name, retryAt = null, message = "") {
    if (this.connection.name === "live" && name !== "live") this.#confirmedUntil = this.#client?.lastReceivedAt ?? 0;
    this.connection = { name, retryAt, message };
    this.#callbacks.state();
  }
}
