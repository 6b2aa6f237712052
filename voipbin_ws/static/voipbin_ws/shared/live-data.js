/** Loads state over REST, then applies live events from its cursor; knows how stale the page's data is. */

import { EventClient, State } from "../event-client.js";
import { changePassword, endToken, read } from "./auth.js";
import { GatewayClock } from "./gateway-clock.js";
import { refusalText } from "./refusals.js";
import { dropToken, dropTokenEverywhere, followTabs, token } from "./token.js";
import { gettext } from "./gettext.js";

/** @typedef {{ name: "connecting" | "live" | "reconnecting" | "offline" | "failed", retryAt: number | null, message: string | null }} Connection */
/** @typedef {{ topics: string[], event: EventHandler, onLive: () => void, abort: AbortController }} Subscription */

const PING_MS = 2000;
const SILENCE_MS = 5000;
const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 30_000;

export class LiveData {
  #callbacks;
  #ownPath;
  /** @type {EventClient | null} */ #client = null;
  #generation = 0; // Grows with every load and stop; results of an older load are ignored.
  #failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #confirmedUntil = 0; // Of `performance.now()`.
  #isReadingClock = false;
  /** @type {Set<Subscription>} */ #subscriptions = new Set();
  /** @type {Connection} */ connection = { name: "connecting", retryAt: null, message: "" };
  /** @type {number | null} */ #loadedAt = null; // Of `performance.now()`.
  clock = new GatewayClock();
  #isChangingPassword = false;
  #wasRefused = false; // Whether the token was, during the change.

  /**
   * `load` reads the state of the page, and `state` is called when `connection` has changed. `ownPath` is where the
   * credential reads what it is.
   * @param {{ load(me: Me, now: number): Promise<Loaded>, event: EventHandler, state(): void, signedIn(): void, signedOut(message: string): void }} callbacks
   * @param {string} ownPath
   */
  constructor(callbacks, ownPath = "/v1.0/me") {
    this.#callbacks = callbacks;
    this.#ownPath = ownPath;
    followTabs({ signedIn: () => callbacks.signedIn(), signedOut: () => this.#endSession("") });
  }

  /** Load the state, now. Also the way out of the state `failed`. */
  start() {
    this.#failures = 0;
    this.#load();
  }

  stop() {
    this.#generation += 1;
    clearTimeout(this.#timer);
    this.#client?.close();
    this.#client = null;
    this.#loadedAt = null;
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

  get isLoaded() {
    return this.#loadedAt !== null;
  }

  /** When the data was last known to be current, of `performance.now()`. */
  get #confirmedAt() {
    return Math.max(this.#loadedAt ?? 0, this.connection.name === "live" ? this.#receivedAt : this.#confirmedUntil);
  }

  /** When the last frame arrived, of `performance.now()`. After a sleep of the computer it is long ago. */
  get #receivedAt() {
    const { lastReceivedAt } = this.#client ?? {};
    return lastReceivedAt ? performance.now() - Math.max(0, Date.now() - lastReceivedAt) : 0;
  }

  /** Whether the data may be outdated. */
  get isStale() {
    return this.isLoaded && performance.now() - this.#confirmedAt > SILENCE_MS;
  }

  get isLive() {
    return this.connection.name === "live" && !this.isStale;
  }

  /** The gateway's time in milliseconds since the epoch. It stands still while the data is stale. */
  get now() {
    return this.clock.at(this.isStale ? this.#confirmedAt : performance.now());
  }

  /** Receive all events up to now; rejects without a connection. */
  async confirm() {
    await this.#client?.ping();
  }

  /** Read the gateway's clock again if it is due. */
  async checkClock() {
    if (!this.clock.isDue || !this.isLive || this.#isReadingClock) return;
    this.#isReadingClock = true;
    try {
      this.clock.set((await read(this.#ownPath)).clock);
    } catch (error) {
      console.warn(error); // The next check tries again.
    } finally {
      this.#isReadingClock = false;
    }
  }

  /** End the session of this tab, because the gateway refuses the token. @param {string} message */
  endSession(message) {
    if (this.#isChangingPassword) {
      this.#wasRefused = true;
      return;
    }
    dropToken();
    this.#endSession(message);
  }

  /** End the session of all tabs, because the user signs out. Offline, the token ends when it expires. */
  signOut() {
    endToken(false).catch((error) => console.warn(error));
    dropTokenEverywhere();
    this.#endSession("");
  }

  /** End all tokens of the user. Throws an ApiError if the gateway does not confirm it. */
  async signOutEverywhere() {
    await endToken(true);
    dropTokenEverywhere();
    this.#endSession(gettext("Signed out everywhere."));
  }

  /**
   * Change the user's password, which ends the token, and go on with a new one. Throws an ApiError if the gateway refuses.
   * @param {string} present @param {string} wanted
   */
  async changePassword(present, wanted) {
    // The gateway closes the connection of the old token, perhaps before it answers.
    this.#isChangingPassword = true;
    this.#wasRefused = false;
    try {
      await changePassword(present, wanted);
      this.#wasRefused = true;
    } finally {
      this.#isChangingPassword = false;
      if (this.#wasRefused) this.start();
    }
  }

  /** @param {string} message */
  #endSession(message) {
    this.stop();
    this.#callbacks.signedOut(refusalText(message));
  }

  async #load() {
    const generation = ++this.#generation;
    clearTimeout(this.#timer);
    this.#setConnection("connecting");
    this.#client?.close();
    this.#client = null;
    try {
      const { content: me, clock } = await read(this.#ownPath);
      if (generation !== this.#generation) return;
      this.clock.set(clock);
      const loaded = await this.#callbacks.load(me, this.clock.now);
      if (generation !== this.#generation) return;
      loaded.show();
      if (!loaded.topics.length) return;
      this.#loadedAt = performance.now();
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
    if (error?.isUnauthorized || error?.isForbidden) {
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
      if (code === "UNAUTHORIZED") this.endSession(gettext("Your session has ended."));
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
    if (this.connection.name === "live" && name !== "live") this.#confirmedUntil = this.#receivedAt;
    this.connection = { name, retryAt, message };
    this.#callbacks.state();
  }
}
