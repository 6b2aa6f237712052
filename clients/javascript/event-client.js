/**
 * Client of a voipbin-ws gateway: one connection that reconnects, resumes and delivers each event once.
 *
 *     const client = new EventClient({ url: "wss://ws.example.com/v1.0/ws", token: async ({ reason }) => "…" });
 *     client.on("state", ({ previous, current, retryInMs, reason }) => …);
 *     client.on("gap", ({ topics, reason }) => …); // Events may be missing: load the current state again.
 *     const subscription = await client.subscribe(["customer_id:…:call:*"], (event) => …);
 *
 * For browsers and Node, without dependencies. Subscriptions of one client may overlap, but not across scopes: a connection
 * receives an event once, under one of its topics. To receive events of one resource by an agent's and by a customer's
 * topics, use two clients.
 *
 * The Python client in clients/python/ behaves alike: tests/conformance/ verifies both. Long because connecting, the attempts
 * before it and the handlers change the same connection.
 */

import { BLOCKED, FINAL, IS_GATEWAY, readAnswer } from "./answer.js";
import { Backoff, FIRST_PAUSE_MS, MAX_AWAY_PAUSE_MS } from "./backoff.js";
import { Conversation } from "./conversation.js";
import { EventStream, streamAddress } from "./event-stream.js";
import { CloseCode, ConnectionFailed, covers, isObject, MAX_QUOTED, State, SubscribeError } from "./protocol.js";
import { SOCKET_RETRY_MS, Transport, TransportChoice } from "./transport-choice.js";

export { CloseCode, ConnectionFailed, covers, State, SubscribeError, Transport };

/** @typedef {import("./answer.js").Answer} Answer */
/** @typedef {import("./protocol.js").Clock} Clock */
/** @typedef {import("./protocol.js").EventHandler} EventHandler */
/** @typedef {import("./protocol.js").Gap} Gap */
/** @typedef {import("./protocol.js").GatewayEvent} GatewayEvent */
/** @typedef {import("./protocol.js").Notifications} Notifications */
/** @typedef {import("./protocol.js").Refusal} Refusal */
/** @typedef {import("./protocol.js").StateChange} StateChange */


/**
 * @typedef {object} Options
 * @property {string | URL} url The gateway's WebSocket, `ws:` or `wss:`; in a browser also a path.
 * @property {string | ((why: { reason: "connect" | "expired" | "refused" }) => Promise<string> | string)} token The credential,
 *   or a function that returns it. The function is called again only after the gateway rejected the last credential. An error
 *   that it throws is temporary: the client retries.
 * @property {string | null} [cursor] Receive the events after this position, such as the cursor of a loaded state. Without a
 *   cursor the client receives events from now on.
 * @property {"auto" | "websocket" | "sse"} [transport] `auto` uses a WebSocket, and server-sent events only where WebSockets are
 *   blocked; the others use only that.
 * @property {boolean} [batch] Whether the gateway may send several events in one frame.
 * @property {number} [pingIntervalMs] Time without a frame after which the client sends a ping.
 * @property {number} [pingTimeoutMs]
 * @property {number} [connectTimeoutMs] Time for a handshake, and for the answer to a plain GET of the address.
 * @property {number} [tokenTimeoutMs] Time for the token function.
 * @property {any} [WebSocket] Replaces the platform's WebSocket, such as the one of `ws`.
 * @property {typeof globalThis.fetch} [fetch]
 * @property {() => number} [random]
 * @property {Clock} [clock]
 */

const CLOSE_NAMES = new Map(Object.entries(CloseCode).map(([name, code]) => [/** @type {number} */ (code), name]));
const HURRY_MS = 2000; // An attempt without an answer for so long may be one that the network lost.

const DEFAULTS = {
  cursor: null,
  batch: true,
  transport: /** @type {"auto" | "websocket" | "sse"} */ (Transport.AUTO),
  pingIntervalMs: 20_000,
  pingTimeoutMs: 10_000,
  connectTimeoutMs: 15_000,
  tokenTimeoutMs: 60_000,
  random: Math.random,
  /** @type {Clock} */
  clock: {
    now: () => performance.now(),
    setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
    clearTimeout: (id) => clearTimeout(id),
  },
};

/** Topics whose events one handler receives. Made by `EventClient.subscribe`. */
export class Subscription {
  isEnded = false;
  isGranted = false;
  /** @type {Set<(error: Error | null) => void>} */ onEnd = new Set();

  /** @param {string[]} topics @param {EventHandler} onEvent @param {() => Promise<void>} unsubscribe */
  constructor(topics, onEvent, unsubscribe) {
    this.topics = new Set(topics);
    this.onEvent = onEvent;
    /** End the subscription. The promise is fulfilled when the gateway has confirmed. */
    this.unsubscribe = unsubscribe;
  }
}

export class EventClient {
  #options;
  #url;
  #conversation;
  #backoff;
  #choice;
  /** @type {URL | null} */ #streamUrl;
  #hasReceived = false; // Whether a frame has arrived on this connection.
  /** @type {Set<Subscription>} */ #subscriptions = new Set();
  /** @type {Map<string, Set<(detail: any) => unknown>>} */ #handlers = new Map();
  /** @type {string} */ #state = State.IDLE;
  /** @type {WebSocket | EventStream | null} */ #socket = null;
  #attempt = 0; // Grows with every connection attempt and end; results of an older attempt are ignored.
  #attemptedAt = 0; // By `clock`.
  #isTokenAwaited = false;
  #asksFirst = false; // Whether the last socket did not open.
  #mayAsk = true; // Unless the page's Content-Security-Policy forbids it.
  /** @type {Set<any>} */ #timers = new Set(); // Of this connection.
  /** @type {any} */ #retryTimer = null;
  /** @type {number | null} */ #openedAt = null;
  #receivedAt = 0; // By `clock`.
  /** @type {number | null} */ #lastReceivedAt = null;
  /** @type {Map<string, { resolve: (value?: any) => void, reject: (error: Error) => void }>} */ #pings = new Map();
  #lastPing = 0;
  /** @type {AbortController | null} */ #watching = null; // Of the browser's events.
  /** @type {string | null} */ #token = null;
  /** @type {"connect" | "expired" | "refused"} */ #tokenReason = "connect";
  #isTokenNew = false;
  /** @type {{ token: string | null, message: string } | null} */ #rejectedToken = null;

  /** @param {Options} options */
  constructor({ url, token, ...options }) {
    if (typeof token !== "function" && typeof token !== "string") {
      throw new TypeError("token is the credential, or a function that returns a promise of it");
    }
    this.#options = { ...DEFAULTS, WebSocket: globalThis.WebSocket, fetch: globalThis.fetch?.bind(globalThis), token, ...options };
    this.#url = new URL(url, globalThis.location?.href);
    this.#url.protocol = this.#url.protocol.replace(/^http/, "ws");
    this.#streamUrl = streamAddress(this.#url);
    if (this.#streamUrl === null && this.#options.transport === Transport.SSE) {
      throw new TypeError("There is no event stream beside this address: its path must end with /ws");
    }
    this.#choice = new TransportChoice(this.#streamUrl === null ? Transport.WEBSOCKET : this.#options.transport);
    this.#backoff = new Backoff(this.#options.random);
    this.#conversation = new Conversation(this.#options.cursor, {
      send: (message, afterMs) => (afterMs ? this.#after(afterMs, () => this.#send(message)) : this.#send(message)),
      event: (event) => this.#deliver(event),
      gap: (gap) => this.#emit("gap", gap),
      refusal: (refusal) => this.#onRefusal(refusal),
      error: (error) => this.#report(error),
    });
  }

  get state() {
    return this.#state;
  }

  /** The transport of this connection, or of the next one: `websocket` or `sse`. */
  get transport() {
    return this.#choice.current;
  }

  /** The position up to which all events are delivered; a later client can resume from it. `null` before the first. */
  get cursor() {
    return this.#conversation.positions.cursor;
  }

  /** When the last frame of any kind arrived, in milliseconds of `Date.now()`; `null` before the first. */
  get lastReceivedAt() {
    return this.#lastReceivedAt;
  }

  /**
   * Add a handler, and return a function that removes it.
   *
   * `gap`: events of these topics may be missing, so load the current state again. `refusal`: the gateway withdrew topics.
   * `error`: an error that stopped nothing, such as one thrown by a handler. `frame`: any frame, sent or received, for tools.
   *
   * @template {keyof Notifications} Name
   * @param {Name} name
   * @param {(detail: Notifications[Name]) => unknown} handler
   */
  on(name, handler) {
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers.add(handler));
    return () => void handlers.delete(handler);
  }

  /** Connect; `subscribe` does the same. In the state `failed`, try again and resume. */
  connect() {
    if (this.#state !== State.IDLE && this.#state !== State.FAILED) return;
    this.#token = this.#rejectedToken = null;
    this.#tokenReason = "connect";
    this.#isTokenNew = false;
    this.#watchBrowser();
    this.#setState(State.CONNECTING);
    this.#open();
  }

  /** Close the connection, and end all subscriptions. */
  close() {
    if (this.#state !== State.IDLE) this.#stop(State.IDLE, new ConnectionFailed("CLOSED", "The client was closed"));
  }

  /**
   * Subscribe to topics. The promise is fulfilled with a subscription when the gateway has acknowledged all of them.
   *
   * `signal` ends the subscription. The promise is rejected with a SubscribeError if the gateway refuses topics, and with a
   * ConnectionFailed if the client fails or is closed before the answer.
   *
   * Of topics with a `filter`, only events whose tags match are received, and with `left: true` the first one with which a resource
   * stops matching. Subscribing to a topic again replaces its filter.
   *
   * @param {string | string[]} topics
   * @param {EventHandler} onEvent
   * @param {{ signal?: AbortSignal, filter?: object }} options
   * @returns {Promise<Subscription>}
   */
  subscribe(topics, onEvent, { signal, filter } = {}) {
    const list = [...new Set(typeof topics === "string" ? [topics] : topics)];
    if (!list.length) return Promise.reject(new TypeError("name at least one topic"));
    if (signal?.aborted) return Promise.reject(signal.reason);
    const subscription = new Subscription(list, onEvent, () => this.#end(subscription));
    this.#subscriptions.add(subscription);
    if (signal) {
      const abort = () => this.#end(subscription, signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      subscription.onEnd.add(() => signal.removeEventListener("abort", abort));
    }
    return new Promise((resolve, reject) => {
      let forget = () => {};
      const stop = (/** @type {Error | null} */ error) => {
        forget();
        reject(error ?? new ConnectionFailed("CLOSED", "Unsubscribed before the answer came"));
      };
      subscription.onEnd.add(stop);
      forget = this.#conversation.subscribe(list, (refusals) => {
        subscription.onEnd.delete(stop);
        subscription.isGranted = true;
        for (const topic of refusals.flatMap((refusal) => refusal.topics)) subscription.topics.delete(topic);
        if (!subscription.topics.size) this.#end(subscription);
        if (refusals.length) reject(new SubscribeError(refusals, subscription.topics.size ? subscription : null));
        else resolve(subscription);
      }, filter);
      this.connect();
    });
  }

  /**
   * Subscribe, and iterate over the events: `for await (const event of client.events(topics)) …`.
   *
   * Leaving the loop unsubscribes. `signal` and `close` end the loop. It throws a ConnectionFailed if the client fails, and a
   * SubscribeError if the gateway refuses or withdraws all topics.
   *
   * @param {string | string[]} topics
   * @param {{ signal?: AbortSignal, filter?: object }} options
   */
  async *events(topics, options = {}) {
    /** @type {GatewayEvent[]} */
    const waiting = [];
    /** @type {Error | null} */
    let failure = null;
    let wake = () => {};
    const onEvent = (/** @type {GatewayEvent} */ event) => {
      waiting.push(event);
      wake();
    };
    const subscription = await this.subscribe(topics, onEvent, options);
    subscription.onEnd.add((error) => {
      if (error instanceof SubscribeError) failure = error;
      wake();
    });
    const removeHandler = this.on("state", ({ current, code, reason }) => {
      if (current === State.FAILED) failure = new ConnectionFailed(code ?? "", reason ?? "");
      wake();
    });
    try {
      while (true) {
        for (let event = waiting.shift(); event; event = waiting.shift()) yield event;
        if (failure) throw failure;
        if (subscription.isEnded) return;
        await /** @type {Promise<void>} */ (new Promise((resolve) => (wake = resolve)));
      }
    } finally {
      removeHandler();
      subscription.unsubscribe();
    }
  }

  /** Send a ping. The gateway answers in order: when the promise is fulfilled, all earlier frames have been delivered. */
  ping() {
    if (this.#socket?.readyState !== 1) return Promise.reject(new ConnectionFailed("CLOSED", "There is no connection"));
    const request_id = `ping-${(this.#lastPing += 1)}`;
    return new Promise((resolve, reject) => {
      this.#pings.set(request_id, { resolve, reject });
      this.#send({ type: "ping", request_id });
    });
  }

  /**
   * End a subscription, and unsubscribe the topics that no other subscription has.
   * @param {Subscription} subscription @param {Error | null} error @returns {Promise<void>}
   */
  #end(subscription, error = null) {
    if (subscription.isEnded) return Promise.resolve();
    subscription.isEnded = true;
    this.#subscriptions.delete(subscription);
    for (const callback of subscription.onEnd) callback(error);
    const kept = new Set([...this.#subscriptions].flatMap(({ topics }) => [...topics]));
    const topics = [...subscription.topics].filter((topic) => !kept.has(topic));
    return new Promise((resolve) => this.#conversation.unsubscribe(topics, () => resolve()));
  }

  // --- Connecting ---

  async #open() {
    const attempt = ++this.#attempt;
    const { clock, tokenTimeoutMs, token: provider } = this.#options;
    this.#attemptedAt = clock.now();
    let token = this.#token;
    if (token === null) {
      this.#isTokenAwaited = true;
      try {
        token = typeof provider === "function" ? await this.#within(tokenTimeoutMs, () => provider({ reason: this.#tokenReason })) : provider;
      } catch (error) {
        if (attempt === this.#attempt) this.#retry(this.#backoff.pause(), "NO_TOKEN", `There is no credential now: ${error?.message ?? error}`);
        return;
      } finally {
        if (attempt === this.#attempt) this.#isTokenAwaited = false;
      }
    }
    if (attempt !== this.#attempt) return;
    if (!token) return this.#fail("UNAUTHORIZED", "There is no credential");
    if (token === this.#rejectedToken?.token) return this.#fail("UNAUTHORIZED", this.#rejectedToken.message);
    this.#token = token;
    // Firefox delays WebSockets to a host by up to a minute after some did not open, but never a GET (RFC 6455, 7.2.3).
    if (this.#asksFirst && this.#mayAsk) {
      const answer = await this.#ask();
      if (attempt !== this.#attempt) return;
      // Some proxies pass only WebSockets on, and answer a GET themselves; with 5xx they say that there is nothing behind them.
      const mayOpen = answer && (answer.code === IS_GATEWAY || (answer.code === "INTERMEDIARY" && answer.status < 500));
      if (!mayOpen && this.#mayAsk) return this.#onAnswer(answer, "The server does not answer");
    }
    if (this.#choice.triesSocketFirst) {
      const works = await this.#socketWorks();
      if (attempt !== this.#attempt) return;
      this.#choice.socketTried(works);
    }
    if (this.#choice.current === Transport.SSE && this.#streamUrl) this.#openStream(this.#streamUrl);
    else this.#dial();
  }

  /** Open an event stream. It has no handshake of its own: the first subscription opens it. @param {URL} url */
  #openStream(url) {
    const { fetch, connectTimeoutMs } = this.#options;
    const address = this.#address(url);
    address.searchParams.delete("batch");
    const stream = (this.#socket = new EventStream(address, fetch, (action) => this.#within(connectTimeoutMs, action)));
    stream.onaccepted = () => this.#socket === stream && this.#onAccepted();
    stream.onmessage = ({ data }) => this.#socket === stream && this.#onMessage(data);
    stream.onclose = ({ code, reason, answer }) => {
      if (this.#socket !== stream) return;
      if (answer === undefined) return this.#onClose(code, reason);
      this.#dropSocket();
      this.#onAnswer(answer, "The server does not answer");
    };
    this.#onOpen();
    if (this.#choice.isAutomatic) this.#after(SOCKET_RETRY_MS, () => this.#tryWebSocket());
  }

  /** Try a WebSocket beside the event stream, and change to it if it works. */
  async #tryWebSocket() {
    const attempt = this.#attempt;
    const works = await this.#socketWorks();
    if (attempt !== this.#attempt) return;
    this.#choice.socketTried(works);
    if (!works) return this.#after(SOCKET_RETRY_MS, () => this.#tryWebSocket());
    this.#dropSocket();
    this.#retry(this.#backoff.shortPause(FIRST_PAUSE_MS), "RESTARTING", "A WebSocket works again");
  }

  /** Return whether a frame arrives on a WebSocket. */
  async #socketWorks() {
    const { WebSocket, connectTimeoutMs } = this.#options;
    const socket = new WebSocket(this.#address().href);
    /** @type {Promise<boolean>} */
    const answered = new Promise((resolve) => {
      socket.onopen = () => socket.send(JSON.stringify({ type: "ping" }));
      socket.onmessage = () => resolve(true);
      socket.onclose = () => resolve(false);
      socket.onerror = () => {}; // A close follows.
    });
    try {
      return await this.#within(connectTimeoutMs, () => answered);
    } catch {
      return false;
    } finally {
      socket.close();
    }
  }

  /** @returns {URL} The address with the credential, for the WebSocket, the GET and the event stream alike. */
  #address(url = this.#url) {
    const address = new URL(url);
    address.searchParams.set("token", this.#token ?? "");
    if (this.#options.batch) address.searchParams.set("batch", "true");
    return address;
  }

  #dial() {
    const { WebSocket, connectTimeoutMs, clock } = this.#options;
    /** @type {WebSocket} */
    let socket;
    try {
      socket = this.#socket = new WebSocket(this.#address().href);
    } catch (error) {
      return this.#fail("NOT_A_GATEWAY", error.message);
    }
    const unanswered = this.#after(connectTimeoutMs, () => this.#onNotOpened());
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      clock.clearTimeout(unanswered);
      this.#onAccepted();
      this.#onOpen();
    };
    socket.onmessage = ({ data }) => this.#socket === socket && this.#onMessage(data);
    socket.onclose = ({ code, reason }) => {
      if (this.#socket !== socket) return;
      if (this.#openedAt === null) this.#onRefused();
      else this.#onClose(code, reason);
    };
    socket.onerror = () => {}; // A close follows.
    this.#openedAt = null;
  }

  /**
   * Ask for another credential, once: a new one that is rejected too is final.
   * @param {"expired" | "refused"} reason @param {string} message @param {() => number} retryInMs
   */
  #renewToken(reason, message, retryInMs) {
    if (typeof this.#options.token !== "function" || this.#isTokenNew) return this.#fail("UNAUTHORIZED", message);
    this.#rejectedToken = { token: this.#token, message };
    this.#token = null;
    this.#tokenReason = reason;
    this.#isTokenNew = true;
    return this.#retry(retryInMs(), "UNAUTHORIZED", message);
  }

  #onAccepted() {
    this.#isTokenNew = this.#asksFirst = false;
    this.#rejectedToken = null;
  }

  #onOpen() {
    this.#hasReceived = false;
    this.#openedAt = this.#options.clock.now();
    this.#noteReceived();
    this.#watchSilence();
    this.#conversation.opened();
    this.#updateReady();
  }

  #updateReady() {
    const { isReady, recovered } = this.#conversation;
    if (isReady && this.#state !== State.CONNECTED) this.#setState(State.CONNECTED, { recovered });
  }

  /** @param {number} code @param {string} text */
  #onClose(code, text) {
    if (this.#hasReceived) this.#choice.worked();
    else this.#choice.failed({ wasOpen: true });
    const { notice } = this.#conversation;
    const name = notice && notice.code in CloseCode ? notice.code : (CLOSE_NAMES.get(code) ?? "LOST");
    const closed = [1005, 1006].includes(code) ? "The connection was lost" : `The server closed with code ${code}`;
    const message = notice?.message || text || closed;
    this.#dropSocket();
    if (name === "PROTOCOL_ERROR") return this.#fail(name, message);
    if (name === "REVOKED" || notice?.retry === false) return this.#fail("FORBIDDEN", message);
    if (name === "TOKEN_EXPIRED") return this.#renewToken("expired", message, () => this.#backoff.shortPause(0));
    if (name === "RESTARTING") return this.#retry(this.#backoff.shortPause(FIRST_PAUSE_MS), name, message);
    return this.#retry(name === "TOO_MANY" ? this.#backoff.longPause() : this.#backoff.pause(), name, message);
  }

  /** The handshake has taken too long. The next attempt begins with a GET. */
  #onNotOpened() {
    this.#dropSocket();
    this.#asksFirst = true;
    this.#onAnswer(null, "The server does not answer");
  }

  /** Find out why the handshake failed. A browser's WebSocket hides the reason; a plain GET of the address returns it. */
  async #onRefused() {
    this.#dropSocket();
    this.#asksFirst = true;
    const attempt = this.#attempt;
    this.#attemptedAt = this.#options.clock.now();
    const answer = await this.#ask();
    if (attempt === this.#attempt) this.#onAnswer(answer, "The connection could not be opened");
  }

  /** Decide after an attempt without a WebSocket. @param {Answer | null} answer @param {string} silence The reason without an answer. */
  #onAnswer(answer, silence) {
    this.#choice.failed({ isBlocked: answer?.code === IS_GATEWAY });
    if (answer === null) return this.#retry(this.#backoff.pause(MAX_AWAY_PAUSE_MS), "UNREACHABLE", silence);
    const { status, code, message } = answer;
    if (code === "UNAUTHORIZED") return this.#renewToken("refused", message, () => 0);
    const failure = FINAL.get(code);
    if (failure === "NOT_A_GATEWAY" && this.#choice.hasNoStream()) return this.#retry(this.#backoff.pause(), code, message);
    if (failure) return this.#fail(failure, message);
    if (status === 429) return this.#retry(this.#backoff.longPause(), code, message);
    if (code === IS_GATEWAY) return this.#retry(this.#backoff.pause(MAX_AWAY_PAUSE_MS), "BLOCKED", BLOCKED);
    return this.#retry(this.#backoff.pause(code === "INTERMEDIARY" ? MAX_AWAY_PAUSE_MS : undefined), code, message);
  }

  /** Ask the address by a plain GET; `null` if nothing answers. @returns {Promise<Answer | null>} */
  async #ask() {
    const { fetch, connectTimeoutMs } = this.#options;
    const address = this.#address();
    address.protocol = address.protocol.replace(/^ws/, "http");
    const ends = new AbortController();
    const how = /** @type {RequestInit} */ ({ cache: "no-store", signal: ends.signal });
    const ask = async () => {
      try {
        return await readAnswer(await fetch(address.href, { ...how, redirect: "manual" }));
      } catch (error) {
        if (ends.signal.aborted || !globalThis.location || address.origin === globalThis.location.origin) throw error;
        // The gateway lets pages of every origin read its answer: this one is not the gateway's, if there is one at all.
        await fetch(this.#url.href.replace(/^ws/, "http"), { ...how, mode: "no-cors" });
        return { status: 0, code: "INTERMEDIARY", message: "An intermediary answered, not the gateway; this page may not read the answer" };
      }
    };
    try {
      return await this.#within(connectTimeoutMs, ask);
    } catch {
      return null;
    } finally {
      ends.abort();
    }
  }

  /** Return what `action` returns. Throws if it takes too long. @template T @param {number} milliseconds @param {() => Promise<T> | T} action */
  async #within(milliseconds, action) {
    const { clock } = this.#options;
    /** @type {any} */
    let timer;
    const late = new Promise((_, reject) => {
      timer = clock.setTimeout(() => reject(new Error(`No answer within ${milliseconds / 1000} s`)), milliseconds);
    });
    try {
      return /** @type {T} */ (await Promise.race([action(), late]));
    } finally {
      clock.clearTimeout(timer);
    }
  }

  /** @param {number} retryInMs @param {string} code @param {string} reason */
  #retry(retryInMs, code, reason) {
    const { clock } = this.#options;
    clock.clearTimeout(this.#retryTimer);
    this.#attempt += 1;
    this.#retryTimer = clock.setTimeout(() => {
      this.#retryTimer = null;
      this.#open();
    }, retryInMs);
    this.#setState(globalThis.navigator?.onLine === false ? State.SUSPENDED : State.RECONNECTING, { retryInMs, code, reason });
  }

  /** @param {string} code @param {string} reason */
  #fail(code, reason) {
    this.#stop(State.FAILED, new ConnectionFailed(code, reason), { code, reason });
  }

  /** @param {string} state @param {Error} error Ends subscriptions. @param {Partial<StateChange>} details */
  #stop(state, error, details = {}) {
    this.#dropSocket();
    this.#options.clock.clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    this.#watching?.abort();
    this.#watching = null;
    this.#setState(state, details);
    for (const subscription of [...this.#subscriptions]) {
      // After a failure and `connect` the granted subscriptions continue; the others have no answer to wait for.
      if (state === State.IDLE || !subscription.isGranted) this.#end(subscription, error);
    }
  }

  /** Leave the current socket, in whatever state it is. */
  #dropSocket() {
    const { clock } = this.#options;
    const socket = this.#socket;
    this.#socket = null;
    this.#attempt += 1;
    for (const timer of this.#timers) clock.clearTimeout(timer);
    this.#timers.clear();
    if (socket === null) return;
    if (this.#openedAt !== null) this.#backoff.connectionLasted(clock.now() - this.#openedAt);
    this.#conversation.lost();
    const pings = [...this.#pings.values()];
    this.#pings.clear();
    for (const { reject } of pings) reject(new ConnectionFailed("LOST", "The connection was lost"));
    if (socket.readyState > 1) return;
    try {
      socket.close();
    } catch (error) {
      this.#report(error);
    }
  }

  /** End every wait as soon as the network is back or the page becomes visible. */
  #watchBrowser() {
    if (this.#watching || typeof globalThis.addEventListener !== "function") return;
    const { signal } = (this.#watching = new AbortController());
    const onChange = (/** @type {Event} */ { type }) => {
      if (type === "visibilitychange" && globalThis.document.visibilityState === "hidden") return;
      if (this.#openedAt !== null && this.#socket) this.#checkAlive();
      else if (this.#retryTimer !== null) this.#hurry();
      else if (this.#isTokenAwaited && type !== "online") return; // The function may be asking a person.
      else if (this.#options.clock.now() - this.#attemptedAt >= HURRY_MS) this.#hurry();
    };
    globalThis.addEventListener("online", onChange, { signal });
    globalThis.document?.addEventListener("visibilitychange", onChange, { signal });
    const origin = this.#url.origin.replace(/^ws/, "http");
    globalThis.addEventListener("securitypolicyviolation", ({ blockedURI }) => (this.#mayAsk &&= !blockedURI.startsWith(origin)), { signal });
  }

  /** Begin another attempt at once, instead of the pause or of an attempt that has no answer yet. */
  #hurry() {
    this.#dropSocket();
    this.#retry(0, "HURRIED", "Trying at once");
  }

  // --- An open connection ---

  /** Call `action` later, unless the connection ends before. @param {number} milliseconds @param {() => void} action */
  #after(milliseconds, action) {
    const { clock } = this.#options;
    const timer = clock.setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, milliseconds);
    this.#timers.add(timer);
    return timer;
  }

  /** Detect a connection that broke without a close: ping after a silence, and close if no frame follows. */
  #watchSilence() {
    const { clock, pingIntervalMs } = this.#options;
    const silence = clock.now() - this.#receivedAt;
    if (silence < pingIntervalMs) this.#after(pingIntervalMs - silence, () => this.#watchSilence());
    else this.#checkAlive(() => this.#watchSilence());
  }

  #checkAlive(then = () => {}) {
    const { clock, pingTimeoutMs } = this.#options;
    const sentAt = clock.now();
    this.#send({ type: "ping" });
    this.#after(pingTimeoutMs, () => {
      if (this.#receivedAt >= sentAt) then();
      else this.#onClose(1006, "The server does not answer");
    });
  }

  #noteReceived() {
    this.#receivedAt = this.#options.clock.now();
    this.#lastReceivedAt = Date.now();
  }

  /** @param {object} message */
  #send(message) {
    if (this.#socket?.readyState !== 1) return;
    this.#socket.send(JSON.stringify(message));
    this.#emit("frame", { direction: "sent", frame: message });
  }

  /** @param {any} text */
  #onMessage(text) {
    this.#noteReceived();
    let content;
    try {
      content = JSON.parse(text);
    } catch {
      this.#report(new TypeError(`A frame that is no JSON is ignored: ${String(text).slice(0, MAX_QUOTED)}`));
      return;
    }
    const socket = this.#socket;
    for (const frame of Array.isArray(content) ? content : [content]) {
      if (this.#socket !== socket) return; // A handler closed the client.
      try {
        this.#hasReceived = true;
        this.#emit("frame", { direction: "received", frame });
        if (!isObject(frame)) throw new TypeError(`A frame that is no object is ignored: ${JSON.stringify(frame).slice(0, MAX_QUOTED)}`);
        this.#conversation.receive(frame);
        if (frame.type === "pong") {
          this.#pings.get(frame.request_id)?.resolve();
          this.#pings.delete(frame.request_id);
        }
        this.#updateReady();
      } catch (error) {
        this.#report(error);
      }
    }
  }

  // --- Handlers ---

  /** @param {GatewayEvent} event */
  #deliver(event) {
    for (const subscription of [...this.#subscriptions]) {
      if ([...subscription.topics].some((pattern) => covers(pattern, event.topic))) this.#callHandler(subscription.onEvent, event);
    }
  }

  /** End the subscriptions that have no topic left, and emit the refusal. @param {Refusal} refusal */
  #onRefusal(refusal) {
    for (const subscription of [...this.#subscriptions]) {
      for (const topic of refusal.topics) subscription.topics.delete(topic);
      if (!subscription.topics.size) this.#end(subscription, new SubscribeError([refusal], null));
    }
    this.#emit("refusal", refusal);
  }

  /** @param {string} current @param {Partial<StateChange>} details */
  #setState(current, { retryInMs = null, reason = null, code = null, recovered = null } = {}) {
    const previous = this.#state;
    this.#state = current;
    const transport = current === State.CONNECTED ? this.#choice.current : null;
    this.#emit("state", { previous, current, retryInMs, reason, code, recovered, transport });
  }

  /** @param {keyof Notifications} name @param {any} detail */
  #emit(name, detail) {
    for (const handler of [...(this.#handlers.get(name) ?? [])]) this.#callHandler(handler, detail, name === "error");
  }

  /** Call a handler; an error that it throws, or a promise that it rejects, is reported. @param {(detail: any) => any} handler @param {any} detail */
  #callHandler(handler, detail, isErrorHandler = false) {
    const report = (/** @type {any} */ error) => (isErrorHandler ? console.error(error) : this.#report(error));
    try {
      const result = handler(detail);
      if (typeof result?.then === "function") result.then(undefined, report);
    } catch (error) {
      report(error);
    }
  }

  /** @param {any} error */
  #report(error) {
    if (this.#handlers.get("error")?.size) this.#emit("error", error);
    else console.error(error);
  }
}
