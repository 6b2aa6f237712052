/** Keeping something true by the gateway: load the present state, follow the log from there, know how old it all is. */

import { EventClient, State } from "../event-client.js";
import { ApiError, read, signOut, token } from "./auth.js";

const PING_MS = 2000;
const SILENCE_MS = 5000;
const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 30_000;
const CLOCKS_AGREE_MS = 2000;

export class LiveData {
  #client = null;
  #generation = 0; // grows with every start and stop: what an older one still brings is void
  #failures = 0;
  #timer = null;
  #confirmedUntil = 0;
  #subscriptions = new Set();

  /** `on` has functions: `load(me, now)` reads the state and returns { cursor, topics, needsAll, show() }, where `needsAll` says
   * that without one of the topics there is nothing to show; `event(event)`; `state()` when `connection` changed;
   * `signedOut(message)`. */
  constructor(on) {
    this.on = on;
    this.connection = { name: "connecting", retryAt: null, message: "" };
    this.loadedAt = null;
    this.clockOffset = 0; // how much the gateway's clock is ahead of ours
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

  /** Hear further topics, until the function that is returned is called. `onLive()` is called once they are live, and again
   * whenever events of theirs may have been missed. */
  subscribe(topics, event, onLive) {
    const subscription = { topics, event, onLive, abort: new AbortController() };
    this.#subscriptions.add(subscription);
    if (this.#client) this.#subscribe(subscription);
    return () => {
      this.#subscriptions.delete(subscription);
      subscription.abort.abort();
    };
  }

  /** When what is shown was last known to be true, as milliseconds of Date.now(). */
  get confirmedAt() {
    return Math.max(this.loadedAt ?? 0, this.connection.name === "live" ? (this.#client?.lastReceivedAt ?? 0) : this.#confirmedUntil);
  }

  /** Whether what is shown may not be true any more. */
  get isStale() {
    return this.loadedAt !== null && Date.now() - this.confirmedAt > SILENCE_MS;
  }

  get isLive() {
    return this.connection.name === "live" && !this.isStale;
  }

  /** The gateway's time; it stands still while what is shown is stale. */
  get now() {
    return (this.isStale ? this.confirmedAt : Date.now()) + this.clockOffset;
  }

  /** The gateway does not accept the credential any more. */
  refused(message) {
    this.endSession(message);
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
      const off = at === null ? 0 : at - Date.now();
      this.clockOffset = Math.abs(off) > CLOCKS_AGREE_MS ? off : 0;
      const state = await this.on.load(me, Date.now() + this.clockOffset);
      if (generation !== this.#generation) return;
      state.show();
      if (!state.topics.length) return;
      this.loadedAt = Date.now();
      this.#follow(state);
    } catch (error) {
      if (generation === this.#generation) this.#onLoadError(error);
    }
  }

  /** Hear what happened since the state was loaded, and whatever happens from now on. */
  #follow({ topics, cursor, needsAll = false }) {
    const client = (this.#client = new EventClient({
      url: "/v1.0/ws",
      token: async () => token(),
      cursor,
      pingIntervalMs: PING_MS,
      pingTimeoutMs: SILENCE_MS - PING_MS,
    }));
    const isCurrent = () => client === this.#client;
    client.on("state", (change) => isCurrent() && this.#onClientState(client, change));
    client.on("gap", () => isCurrent() && this.#load());
    // What may be heard has changed: begin anew with what is left.
    client.on("refusal", ({ message }) => isCurrent() && (needsAll ? this.endSession(message) : this.#load()));
    client.on("error", (error) => console.warn(error));
    client
      .subscribe(topics, (event) => isCurrent() && this.on.event(event))
      .catch((error) => {
        if (!isCurrent()) return;
        if (needsAll && error?.name === "SubscribeError" && !error.retry) this.endSession(error.message);
        else this.#onLoadError(error);
      });
    for (const subscription of this.#subscriptions) this.#subscribe(subscription);
  }

  #subscribe({ topics, event, onLive, abort }) {
    const client = this.#client;
    client.subscribe(topics, (each) => client === this.#client && event(each), { signal: abort.signal }).then(
      () => client === this.#client && onLive(),
      () => {}, // Without them the rest goes on.
    );
  }

  #onLoadError(error) {
    if (error?.name === "ConnectionFailed") return; // The client's state says it.
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
      this.endSession(error.message);
      return;
    }
    const pause = Math.random() * Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#load(), pause);
    this.#setConnection(navigator.onLine === false ? "offline" : "reconnecting", Date.now() + pause, error.message);
  }

  async #onClientState(client, { current, retryInMs, code, reason }) {
    if (current === State.FAILED) {
      if (code === "UNAUTHORIZED") this.endSession("Your session has ended.");
      else if (code === "FORBIDDEN") this.endSession(reason);
      else this.#setConnection("failed", null, reason);
    } else if (current === State.RECONNECTING || current === State.SUSPENDED) {
      this.#setConnection(current === State.SUSPENDED ? "offline" : "reconnecting", Date.now() + retryInMs, reason);
    } else if (current === State.CONNECTED) {
      this.#failures = 0;
      this.#setConnection("connecting");
      // Its answer comes after all that was missed: from then on what is shown is what is.
      await client.ping().catch(() => {});
      if (client === this.#client && client.state === State.CONNECTED) this.#setConnection("live");
    }
  }

  #setConnection(name, retryAt = null, message = "") {
    if (this.connection.name === "live" && name !== "live") this.#confirmedUntil = this.#client?.lastReceivedAt ?? 0;
    this.connection = { name, retryAt, message };
    this.on.state();
  }

  endSession(message) {
    signOut();
    this.stop();
    this.on.signedOut(message);
  }
}
