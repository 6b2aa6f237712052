/**
 * EventClient: one WebSocket to the gateway that stays. It reconnects, subscribes again where it left off, and says so
 * when something was missed. No dependencies; for browsers, and for Node (before 22 hand in the `ws` package's WebSocket).
 *
 *     const client = new EventClient({ url: "wss://ws.example.com/v1.0/ws", token: async ({ reason }) => "…" });
 *     client.on("state", ({ previous, current, retryInMs, reason }) => …);
 *     const subscription = await client.subscribe(["customer_id:…:call:*"], (event) => …);
 *
 * Two subscriptions of one client may overlap, but not across scopes: an event reaches a connection once, under one of
 * its topics. Name an agent's and a customer's topics of the same resource in one `subscribe`.
 */

export const State = Object.freeze({
  IDLE: "idle", // not connected, and nobody asked for it
  CONNECTING: "connecting", // for the first time
  CONNECTED: "connected",
  RECONNECTING: "reconnecting", // waiting `retryInMs`, then trying
  SUSPENDED: "suspended", // as reconnecting, while this machine says that it has no network
  FAILED: "failed", // trying again is useless until somebody does something, then `connect()`
});

export const CloseCode = Object.freeze({
  RESTARTING: 4012,
  PROTOCOL_ERROR: 4400,
  TOKEN_EXPIRED: 4401,
  REVOKED: 4403,
  TOO_SLOW: 4408,
  TOO_MANY: 4429,
});

const NAMES = new Map(Object.entries(CloseCode).map(([name, code]) => [code, name]));
const TERMINAL = new Set(["PROTOCOL_ERROR", "REVOKED"]);
const MAX_TOPICS = 100;
const RATE_LIMIT_PAUSE_MS = 2000;
const NORMAL_CLOSURE = 1000;

const DEFAULTS = {
  batch: true,
  backoffMinMs: 1000,
  backoffMaxMs: 30_000,
  stableAfterMs: 5000,
  pingIntervalMs: 15_000,
  pingTimeoutMs: 10_000,
  connectTimeoutMs: 15_000,
};

/** The gateway refused a subscription: `code` as in the protocol, `topics` those refused, `retry` whether later may do. */
export class SubscribeError extends Error {
  constructor({ code, message, topics }) {
    super(message);
    this.name = "SubscribeError";
    this.code = code;
    this.topics = topics;
    this.retry = code === "RATE_LIMITED";
  }
}

/** The client is closed or failed, so there will be no answer; `code` says why. */
export class ConnectionFailed extends Error {
  constructor(code, message) {
    super(message);
    this.name = "ConnectionFailed";
    this.code = code;
  }
}

/** The gateway sent what cannot be read; it was skipped. */
export class UnreadableFrame extends Error {}

/** Whether `pattern` (with wildcards, or a prefix) covers the concrete `topic`. */
export function covers(pattern, topic) {
  const parts = topic.split(":");
  const wanted = pattern.split(":");
  return wanted.length <= parts.length && wanted.every((part, index) => part === "*" || part === parts[index]);
}

/** How far customers' logs have been heard: the latest number of each log's epoch. */
export class Cursor {
  #numbers = new Map();
  #text = null;

  constructor(text = null) {
    this.advance(text);
  }

  static #read(text) {
    const parts = typeof text === "string" ? text.split(",").map((part) => part.match(/^([^.,]+)\.(\d+)$/)) : [null];
    return parts.every(Boolean) ? parts.map((part) => [part[1], BigInt(part[2])]) : null;
  }

  advance(text) {
    if (typeof text !== "string" || text === "") return;
    const positions = Cursor.#read(text);
    if (positions === null) this.#text = text; // Not of a form that we know: the last one is the latest.
    else for (const [epoch, number] of positions) if (!(this.#numbers.get(epoch) >= number)) this.#numbers.set(epoch, number);
  }

  /** Whether all that `text` stands for has been heard already. */
  isPast(text) {
    const positions = Cursor.#read(text);
    return positions !== null && positions.every(([epoch, number]) => this.#numbers.get(epoch) >= number);
  }

  toString() {
    const positions = [...this.#numbers].map(([epoch, number]) => `${epoch}.${number}`);
    return positions.length ? positions.join(",") : this.#text;
  }
}

/** Topics that are heard together, and how far. Made by `EventClient.subscribe`. */
class Subscription {
  constructor(client, topics, onEvent, since) {
    this.topics = new Set(topics);
    this.isEnded = false;
    this.recovered = null; // as the last ack said; null where there was nothing to recover
    this.client = client;
    this.onEvent = onEvent;
    this.heard = since == null ? null : new Cursor(since);
    this.unanswered = new Set(topics);
    this.refusal = null; // the first error of an answer that is not complete yet
    this.settle = null; // the promise's functions, until it is settled
    this.whenEnded = new Set();
  }

  /** The last cursor heard; null before the first ack. */
  get cursor() {
    return this.heard?.toString() ?? null;
  }

  get isLive() {
    return this.unanswered.size === 0 && !this.isEnded;
  }

  unsubscribe() {
    this.client._end(this);
  }
}

export class EventClient {
  #options;
  #subscriptions = new Set();
  #requests = new Map(); // request id -> { subscription, topics }
  #lastRequest = 0;
  #handlers = new Map();
  #state = State.IDLE;
  #socket = null;
  #turn = 0; // grows with every dial and close: what an older one still brings is void
  #attempts = 0;
  #retryTimer = null;
  #uptimeTimer = null;
  #watchTimer = null;
  #pingedAt = null;
  #pongDue = false;
  #heardAt = null;
  #lastWords = null;
  #spent = null; // { token, reason, message }: a credential that is not worth trying again
  #isCatchingUp = false;
  #tokenReason = "reconnect";
  #stopListening = null;

  /**
   * url: of the WebSocket, ws: or wss: (or a path, in a browser). token: an async function that gives the credential, called
   * before each attempt with `{ reason }`: "connect", "reconnect", "expired" or "refused"; null gives up.
   */
  constructor({ url, token, ...options }) {
    if (typeof token !== "function") throw new TypeError("token is a function that returns a promise of the credential");
    this.#options = { ...DEFAULTS, WebSocket: globalThis.WebSocket, fetch: globalThis.fetch?.bind(globalThis), ...options };
    this.#options.token = token;
    this.#options.url = new URL(url, globalThis.location?.href);
    this.#options.url.protocol = this.#options.url.protocol.replace(/^http/, "ws");
  }

  get state() {
    return this.#state;
  }

  /** When the last frame of whatever kind arrived, as milliseconds of Date.now(); null before the first. */
  get heardAt() {
    return this.#heardAt;
  }

  /**
   * Listen: "state" ({ previous, current, retryInMs, reason, message }), "gap" ({ subscription, topics, reason }: load the
   * present state anew), "current" (after connecting and subscribing: all that was missed has been delivered), "refused"
   * ({ subscription, topics, code, message }: heard until now, not any more), "error" (an Error that broke nothing).
   * Returns a function that stops it.
   */
  on(name, handler) {
    if (!this.#handlers.has(name)) this.#handlers.set(name, new Set());
    this.#handlers.get(name).add(handler);
    return () => this.#handlers.get(name).delete(handler);
  }

  /** Connect now; `subscribe` does so by itself. From `failed` this tries again, and resumes what was subscribed. */
  connect() {
    if (this.#state === State.IDLE || this.#state === State.FAILED) {
      this.#attempts = 0;
      this.#watchSurroundings();
      this.#setState(State.CONNECTING);
      this.#dial("connect");
    }
  }

  /** Close and forget all subscriptions. */
  close() {
    this.#drop(NORMAL_CLOSURE);
    this.#stopWaiting();
    for (const subscription of [...this.#subscriptions]) this.#end(subscription, new ConnectionFailed("CLOSED", "closed"));
    this.#setState(State.IDLE);
  }

  /**
   * Hear events of these topics. The promise is fulfilled with the subscription by the gateway's ack and rejected with a
   * SubscribeError by its error; then none of the topics is subscribed. `since` is a cursor from which to begin;
   * `signal` an AbortSignal that ends it.
   */
  subscribe(topics, onEvent, { signal, since } = {}) {
    const list = typeof topics === "string" ? [topics] : [...topics];
    if (list.length === 0) return Promise.reject(new TypeError("name at least one topic"));
    if (list.length > MAX_TOPICS) return Promise.reject(new RangeError(`${MAX_TOPICS} topics at once are the most: subscribe several times`));
    if (signal?.aborted) return Promise.reject(signal.reason);
    const subscription = new Subscription(this, list, onEvent, since);
    const promise = new Promise((resolve, reject) => {
      subscription.settle = { resolve, reject };
    });
    if (signal) {
      const abort = () => this.#end(subscription, signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      subscription.whenEnded.add(() => signal.removeEventListener("abort", abort));
    }
    this.#subscriptions.add(subscription);
    if (this.#state === State.CONNECTED) this.#ask(subscription);
    else this.connect();
    return promise;
  }

  /** The same as an async iterator: `for await (const event of client.events(topics)) …`; leaving the loop unsubscribes. */
  async *events(topics, options = {}) {
    const waiting = [];
    let wake = () => {};
    const onEvent = (event) => {
      waiting.push(event);
      wake();
    };
    const subscription = await this.subscribe(topics, onEvent, options);
    subscription.whenEnded.add(() => wake());
    try {
      while (true) {
        while (waiting.length) yield waiting.shift();
        if (subscription.isEnded) return;
        await new Promise((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      subscription.unsubscribe();
    }
  }

  _end(subscription) {
    this.#end(subscription, new ConnectionFailed("UNSUBSCRIBED", "unsubscribed before the answer came"));
  }

  // --- Connecting ---

  async #dial(reason) {
    const turn = ++this.#turn;
    const { url, batch, WebSocket, token: askForToken, connectTimeoutMs } = this.#options;
    let token;
    try {
      token = await askForToken({ reason });
    } catch (error) {
      if (turn === this.#turn) this.#retry("NO_TOKEN", `no credential could be had: ${error?.message ?? error}`);
      return;
    }
    if (turn !== this.#turn) return;
    if (!token) return this.#fail("NO_TOKEN", "there is no credential: sign in again");
    if (token === this.#spent?.token) return this.#fail(this.#spent.reason, this.#spent.message);

    const address = new URL(url);
    address.searchParams.set("token", token);
    if (batch) address.searchParams.set("batch", "true");
    let socket;
    try {
      socket = this.#socket = new WebSocket(address.href);
    } catch (error) {
      return this.#fail("BAD_ADDRESS", error.message);
    }
    let opened = false;
    const timeout = setTimeout(() => isCurrent() && this.#lost({ code: 1006 }, opened, token), connectTimeoutMs);
    const isCurrent = () => this.#socket === socket;
    socket.onopen = () => {
      if (!isCurrent()) return;
      opened = true;
      clearTimeout(timeout);
      this.#opened();
    };
    socket.onmessage = ({ data }) => isCurrent() && this.#receive(data);
    socket.onclose = (event) => {
      clearTimeout(timeout);
      if (isCurrent()) this.#lost(event, opened, token);
    };
    socket.onerror = () => {}; // A close follows.
  }

  #opened() {
    this.#spent = null;
    this.#lastWords = null;
    this.#heardAt = Date.now();
    this.#pongDue = false;
    this.#uptimeTimer = setTimeout(() => (this.#attempts = 0), this.#options.stableAfterMs);
    this.#watch();
    this.#setState(State.CONNECTED);
    for (const subscription of [...this.#subscriptions]) this.#ask(subscription);
  }

  #lost({ code, reason: said }, opened, token) {
    const words = this.#lastWords;
    this.#drop();
    const name = words?.code ?? NAMES.get(code) ?? (opened ? "LOST" : "UNREACHABLE");
    const message = words?.message ?? (said || (opened ? "the connection was lost" : "the gateway does not answer"));
    if (TERMINAL.has(name) || words?.retry === false) return this.#fail(name, message);
    if (!opened) return this.#askWhyRefused(token, message);
    if (name === "TOKEN_EXPIRED") {
      this.#spent = { token, reason: name, message };
      return this.#retry(name, message, { tokenReason: "expired", firstCeilingMs: 0 });
    }
    return this.#retry(name, message);
  }

  /** A browser does not tell why a socket was refused; a plain GET of the same address does. */
  async #askWhyRefused(token, message) {
    const turn = this.#turn;
    const { url, fetch } = this.#options;
    const address = new URL(url);
    address.protocol = address.protocol.replace(/^ws/, "http");
    let refusal = null;
    try {
      const answer = await fetch(address.href, { headers: { Authorization: `Bearer ${token}` }, cache: "no-store" });
      if (answer.status === 401) refusal = (await answer.json().catch(() => ({}))).message ?? "the credential is refused";
    } catch {
      // It does not answer at all, or may not be asked from this origin.
    }
    if (turn !== this.#turn) return;
    if (refusal === null) return this.#retry("UNREACHABLE", message);
    this.#spent = { token, reason: "UNAUTHORIZED", message: refusal };
    return this.#retry("UNAUTHORIZED", refusal, { tokenReason: "refused", firstCeilingMs: 0 });
  }

  /** Full jitter: any time up to a ceiling that doubles, so that a thousand clients do not come back in one moment. */
  #retry(reason, message, { tokenReason = "reconnect", firstCeilingMs = this.#options.backoffMinMs } = {}) {
    const { backoffMinMs, backoffMaxMs } = this.#options;
    const doubled = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(this.#attempts, 16));
    const ceiling = this.#attempts === 0 ? firstCeilingMs : doubled;
    this.#attempts += 1;
    this.#tokenReason = tokenReason;
    this.#again(Math.random() * ceiling, reason, message);
  }

  #again(retryInMs, reason, message) {
    clearTimeout(this.#retryTimer);
    this.#turn += 1;
    const state = globalThis.navigator?.onLine === false ? State.SUSPENDED : State.RECONNECTING;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null;
      this.#dial(this.#tokenReason);
    }, retryInMs);
    this.#setState(state, { retryInMs: Math.round(retryInMs), reason, message });
  }

  #fail(reason, message) {
    this.#drop();
    this.#stopWaiting();
    for (const subscription of [...this.#subscriptions]) {
      if (subscription.settle) this.#end(subscription, new ConnectionFailed(reason, message));
    }
    this.#spent = null;
    this.#setState(State.FAILED, { reason, message });
  }

  /** Let go of the socket, whatever becomes of it. */
  #drop(code) {
    const socket = this.#socket;
    this.#socket = null;
    this.#turn += 1;
    this.#requests.clear();
    clearTimeout(this.#uptimeTimer);
    clearInterval(this.#watchTimer);
    if (socket && socket.readyState <= 1) {
      try {
        socket.close(code);
      } catch (error) {
        this.#report(error);
      }
    }
  }

  #stopWaiting() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    this.#stopListening?.();
    this.#stopListening = null;
  }

  /** The network is back, or somebody looks at the page again: no more waiting. */
  #watchSurroundings() {
    if (this.#stopListening || typeof globalThis.addEventListener !== "function") return;
    const hurry = ({ type }) => {
      if (type === "visibilitychange" && globalThis.document.visibilityState === "hidden") return;
      if (this.#retryTimer !== null) this.#again(0, "HURRIED", "trying at once");
      else if (this.#state === State.CONNECTED) this.#ping();
    };
    globalThis.addEventListener("online", hurry);
    globalThis.document?.addEventListener("visibilitychange", hurry);
    this.#stopListening = () => {
      globalThis.removeEventListener("online", hurry);
      globalThis.document?.removeEventListener("visibilitychange", hurry);
    };
  }

  /** A connection may die without a word: ask for one, and take silence for its death. */
  #watch() {
    const { pingIntervalMs, pingTimeoutMs } = this.#options;
    this.#pingedAt = Date.now();
    this.#watchTimer = setInterval(() => {
      const since = Date.now() - this.#pingedAt;
      if (this.#pongDue && since >= pingTimeoutMs) this.#lost({ code: 1006, reason: "the gateway fell silent" }, true);
      else if (!this.#pongDue && since >= pingIntervalMs) this.#ping();
    }, Math.min(pingIntervalMs, pingTimeoutMs) / 4);
  }

  #ping() {
    this.#pingedAt = Date.now();
    this.#pongDue = true;
    this.#send({ type: "ping" });
  }

  // --- Asking ---

  #ask(subscription) {
    const since = subscription.cursor;
    const topics = [...subscription.topics];
    const request_id = ++this.#lastRequest;
    subscription.unanswered = new Set(topics);
    this.#requests.set(request_id, { subscription, topics: new Set(topics) });
    this.#send({ type: "subscribe", topics, ...(since === null ? {} : { since }), request_id });
  }

  #send(message) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
  }

  #end(subscription, error) {
    if (subscription.isEnded) return;
    subscription.isEnded = true;
    this.#subscriptions.delete(subscription);
    const kept = new Set([...this.#subscriptions].flatMap(({ topics }) => [...topics]));
    const left = [...subscription.topics].filter((topic) => !kept.has(topic));
    if (left.length) this.#send({ type: "unsubscribe", topics: left });
    subscription.settle?.reject(error);
    subscription.settle = null;
    for (const each of subscription.whenEnded) each();
  }

  // --- Hearing ---

  #receive(text) {
    this.#heardAt = Date.now();
    let content;
    try {
      content = JSON.parse(text);
    } catch {
      return this.#report(new UnreadableFrame(`not JSON: ${String(text).slice(0, 200)}`));
    }
    for (const frame of Array.isArray(content) ? content : [content]) {
      try {
        this.#handle(frame);
      } catch (error) {
        this.#report(error);
      }
    }
    return undefined;
  }

  #handle(frame) {
    if (typeof frame?.event_type === "string" && typeof frame.topic === "string") return this.#event(frame);
    switch (frame?.type) {
      case "ack":
        return frame.action === "subscribe" ? this.#acked(frame) : undefined;
      case "error":
        return this.#refused(frame);
      case "pong":
        this.#pongDue = false;
        for (const subscription of this.#subscriptions) if (subscription.isLive) subscription.heard?.advance(frame.cursor);
        if (this.#isCatchingUp && [...this.#subscriptions].every(({ isLive }) => isLive)) {
          this.#isCatchingUp = false;
          this.#emit("current", {});
        }
        return undefined;
      default:
        // A kind of message that is newer than this client is no mistake; anything else is.
        if (typeof frame?.type !== "string") throw new UnreadableFrame(`no frame: ${JSON.stringify(frame)?.slice(0, 200)}`);
        return undefined;
    }
  }

  #event(event) {
    for (const subscription of [...this.#subscriptions]) {
      // Before its ack, a subscription hears nothing: what another one hears meanwhile is part of what it has yet to be sent.
      const isMeant = (pattern) => !subscription.unanswered.has(pattern) && covers(pattern, event.topic);
      if (![...subscription.topics].some(isMeant)) continue;
      // Another subscription's replay brings what this one has heard already.
      if (event.cursor && subscription.heard?.isPast(event.cursor)) continue;
      subscription.heard?.advance(event.cursor);
      this.#call(subscription.onEvent, event);
    }
  }

  /** The request that a frame answers: by its id, or, from a gateway that knows none, the first that fits. */
  #requestOf(frame) {
    const topics = Array.isArray(frame.topics) ? frame.topics : [];
    const isAsked = (request) => topics.length > 0 && topics.every((topic) => request.topics.has(topic));
    const id = frame.request_id ?? [...this.#requests].find(([, request]) => isAsked(request))?.[0];
    return { id, request: this.#requests.get(id), topics };
  }

  #answered(id, request, topics) {
    for (const topic of topics) {
      request.topics.delete(topic);
      request.subscription.unanswered.delete(topic);
    }
    if (request.topics.size === 0) this.#requests.delete(id);
  }

  #acked(frame) {
    const { id, request, topics } = this.#requestOf(frame);
    if (!request) return;
    this.#answered(id, request, topics);
    const { subscription } = request;
    if (subscription.isEnded) return;
    if (frame.recovered === false) {
      subscription.heard = new Cursor(frame.cursor);
      this.#emit("gap", { subscription, topics, reason: frame.reason ?? "not recovered" });
    } else {
      subscription.heard ??= frame.cursor ? new Cursor(frame.cursor) : null;
    }
    subscription.recovered = frame.recovered ?? null;
    // The gateway answers in order: its pong comes after all that the subscription missed.
    this.#isCatchingUp = true;
    this.#ping();
    this.#settleIfAnswered(subscription);
  }

  #refused(frame) {
    const { code, message = code } = frame;
    if (typeof frame.retry === "boolean") {
      this.#lastWords = { code, message, retry: frame.retry };
      return;
    }
    const { id, request, topics } = this.#requestOf(frame);
    if (!request) {
      if (frame.action === "subscribe" && topics.length) this.#withdrawn(topics, code, message);
      else this.#report(Object.assign(new Error(message), { code }));
      return;
    }
    const { subscription } = request;
    // An error without topics speaks of the whole message.
    const refused = topics.length ? topics : [...request.topics];
    this.#answered(id, request, refused);
    if (subscription.isEnded) return;
    if (subscription.settle) {
      subscription.refusal ??= new SubscribeError({ code, message, topics: refused });
      for (const topic of refused) subscription.topics.delete(topic);
    } else if (code === "RATE_LIMITED") {
      setTimeout(() => !subscription.isEnded && this.#state === State.CONNECTED && this.#ask(subscription), RATE_LIMIT_PAUSE_MS);
      return;
    } else this.#withdraw(subscription, refused, code, message);
    this.#settleIfAnswered(subscription);
  }

  #settleIfAnswered(subscription) {
    if (!subscription.settle || subscription.unanswered.size > 0) return;
    if (subscription.refusal) return this.#end(subscription, subscription.refusal);
    subscription.settle.resolve(subscription);
    subscription.settle = null;
  }

  #withdrawn(topics, code, message) {
    for (const subscription of [...this.#subscriptions]) {
      const lost = topics.filter((topic) => subscription.topics.has(topic));
      if (lost.length) this.#withdraw(subscription, lost, code, message);
    }
  }

  #withdraw(subscription, topics, code, message) {
    for (const topic of topics) subscription.topics.delete(topic);
    this.#emit("refused", { subscription, topics, code, message });
    if (subscription.topics.size === 0) this.#end(subscription);
  }

  // --- Telling ---

  #setState(current, { retryInMs = null, reason = null, message = null } = {}) {
    const previous = this.#state;
    this.#state = current;
    if (previous !== current || retryInMs !== null) this.#emit("state", { previous, current, retryInMs, reason, message });
  }

  #emit(name, detail) {
    for (const handler of [...(this.#handlers.get(name) ?? [])]) this.#call(handler, detail, name === "error");
  }

  /** Call a handler of the user's: what it throws, at once or later, is reported and breaks nothing. */
  #call(handler, argument, isLastResort = false) {
    const report = (error) => (isLastResort ? console.error(error) : this.#report(error));
    try {
      const result = handler(argument);
      if (typeof result?.then === "function") result.then(undefined, report);
    } catch (error) {
      report(error);
    }
  }

  #report(error) {
    if (this.#handlers.get("error")?.size) this.#emit("error", error);
    else console.error(error);
  }
}
