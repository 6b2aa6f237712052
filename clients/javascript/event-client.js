/**
 * EventClient: one WebSocket to the gateway that stays. It reconnects, goes on where it was, delivers each event once, and
 * says so when something was missed. No dependencies; for browsers, and for Node (before 22 hand in `ws` as WebSocket; before
 * 20.19 name this file event-client.mjs).
 *
 *     const client = new EventClient({ url: "wss://ws.example.com/v1.0/ws", token: async ({ reason }) => "…" });
 *     client.on("state", ({ previous, current, retryInMs, reason }) => …);
 *     client.on("gap", ({ topics, reason }) => …);  // load the present state anew
 *     const subscription = await client.subscribe(["customer_id:…:call:*"], (event) => …);
 *
 * Subscriptions of one client may overlap, but not across scopes: an event reaches a connection once, under one of its
 * topics. To hear an agent's and a customer's events of the same resource apart, use a client for each.
 *
 * The Python client in clients/python/ is its twin; tests/conformance/ holds both to the same. One file, so that a
 * project can take it as it is.
 */

export const State = Object.freeze({
  IDLE: "idle", // not connected, and nobody asked for it
  CONNECTING: "connecting", // for the first time
  CONNECTED: "connected", // and every topic has been answered: what is granted is live
  RECONNECTING: "reconnecting", // waiting `retryInMs`, then trying
  SUSPENDED: "suspended", // the same, while this machine says that it has no network
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

/** The gateway refused topics: `code` and the message are its first refusal's, `topics` all that were refused.
 * `subscription` holds what was asked for beside them and granted; null where there was nothing. */
export class SubscribeError extends Error {
  constructor(refusals, subscription) {
    super(refusals[0].message);
    this.name = "SubscribeError";
    this.code = refusals[0].code;
    this.topics = refusals.flatMap(({ topics }) => topics);
    this.retry = refusals[0].retry ?? this.code === "RATE_LIMITED";
    this.subscription = subscription;
  }
}

/** There will be no answer, as there will be no connection. `code`: UNAUTHORIZED, FORBIDDEN, PROTOCOL_ERROR, NOT_A_GATEWAY,
 * or CLOSED. */
export class ConnectionFailed extends Error {
  constructor(code, message) {
    super(message);
    this.name = "ConnectionFailed";
    this.code = code;
  }
}

/** Whether `pattern` (with wildcards, or a prefix) covers the concrete `topic`. */
export function covers(pattern, topic) {
  const parts = topic.split(":");
  const wanted = pattern.split(":");
  return wanted.length <= parts.length && wanted.every((part, index) => part === "*" || part === parts[index]);
}

const CLOSE_NAMES = new Map(Object.entries(CloseCode).map(([name, code]) => [code, name]));
const CHUNK = 100; // Topics in one message: what a gateway takes by default.
const RATE_LIMIT_TRIES = 5;
const SHOWN_CHARACTERS = 200;

const DEFAULTS = {
  cursor: null,
  batch: true,
  pingIntervalMs: 20_000, // How long nothing may come before the server is asked whether it is there.
  pingTimeoutMs: 10_000,
  connectTimeoutMs: 15_000,
  random: Math.random,
  clock: {
    now: () => performance.now(),
    setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
    clearTimeout: (id) => clearTimeout(id),
  },
};

// --- How long to wait ---

const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;
const STABLE_MS = 5000; // A connection that lasted this long was no failure: the pauses begin anew.
const MAX_SHORT_PAUSES = 2; // Coming back at once is done this often without a stable connection between.

/** Up to 1 s, doubling up to 30, each drawn evenly from nothing to that: a thousand clients do not come back together. */
class Backoff {
  #random;
  #failures = 0;
  #shortPauses = 0;

  constructor(random) {
    this.#random = random;
  }

  connectionLasted(milliseconds) {
    if (milliseconds >= STABLE_MS) this.#failures = this.#shortPauses = 0;
  }

  pause() {
    return this.#random() * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures++, 16));
  }

  /** Where the server wants us back at once, as long as that does not repeat itself. */
  shortPause(jitterMs) {
    this.#shortPauses += 1;
    return this.#shortPauses <= MAX_SHORT_PAUSES ? this.#random() * jitterMs : this.pause();
  }

  /** Where the server has too many of us. */
  longPause() {
    this.#failures += 1;
    return (MAX_PAUSE_MS * (1 + this.#random())) / 2;
  }
}

// --- How far it has heard ---

/** The numbers of a cursor by their logs' epochs; null where it is none. */
function readCursor(text) {
  if (typeof text !== "string") return null;
  const parts = text.split(",").map((part) => part.match(/^([^.,]+)\.(\d+)$/));
  return parts.every(Boolean) ? new Map(parts.map(([, epoch, number]) => [epoch, BigInt(number)])) : null;
}

/**
 * Where to go on after a break, and what was delivered before it. An event's cursor names its own log alone, so the newest
 * number of each is kept; the cursor of an ack or a pong is complete. While topics are resumed in several messages, a later
 * one's replay goes back to where the first began: until all are acknowledged the positions stay, and what is delivered
 * meanwhile is remembered, so that after another break it is not delivered again.
 */
class Positions {
  #positions;
  #delivered = new Map(); // by epoch: numbers above the position, of this connection
  #before = new Map(); // by epoch: the same, of earlier connections
  #starts = new Map();

  constructor(cursor) {
    this.#positions = readCursor(cursor) ?? new Map();
  }

  get cursor() {
    const positions = [...this.#positions].sort(([one], [other]) => (one < other ? -1 : 1));
    return positions.map(([epoch, number]) => `${epoch}.${number}`).join(",") || null;
  }

  begin() {
    for (const [epoch, numbers] of this.#delivered) {
      this.#before.set(epoch, new Set([...(this.#before.get(epoch) ?? []), ...numbers]));
    }
    this.#delivered.clear();
    this.#starts = new Map(this.#positions);
    for (const [epoch, numbers] of this.#before) {
      const above = [...numbers].filter((number) => !(number <= this.#starts.get(epoch)));
      if (above.length) this.#before.set(epoch, new Set(above));
      else this.#before.delete(epoch);
    }
  }

  isRepetition(positions) {
    return [...positions].some(([epoch, number]) => number <= this.#starts.get(epoch) || this.#before.get(epoch)?.has(number));
  }

  delivered(positions, isResuming) {
    for (const [epoch, number] of positions) {
      if (!isResuming) this.#positions.set(epoch, number);
      else if (this.#delivered.has(epoch)) this.#delivered.get(epoch).add(number);
      else this.#delivered.set(epoch, new Set([number]));
    }
  }

  complete(positions) {
    this.#positions = new Map(positions);
  }

  /** The server could not resume; where a log has gone backwards, its old numbers mean nothing. */
  notRecovered(positions) {
    for (const [epoch, number] of positions) {
      if (number < this.#starts.get(epoch)) for (const kept of [this.#starts, this.#before, this.#delivered]) kept.delete(epoch);
    }
  }
}

// --- What to say, and what the answers mean ---

function strings(value) {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Those who wait until each of some topics is answered; then `done(refusals)` is called, once. */
class PendingAnswers {
  #pending = new Set();

  add(topics, done) {
    const call = { topics: new Set(topics), done, refusals: [] };
    if (call.topics.size) this.#pending.add(call);
    else done([]);
    return call;
  }

  remove(call) {
    this.#pending.delete(call);
  }

  /** What is waited for. */
  get topics() {
    return [...this.#pending].flatMap(({ topics }) => [...topics]);
  }

  /** Tell those who wait for these; returns the topics that somebody waited for. */
  settle(topics, refusal = null) {
    const settled = new Set();
    for (const call of [...this.#pending]) {
      const answered = topics.filter((topic) => call.topics.delete(topic));
      if (!answered.length) continue;
      for (const topic of answered) settled.add(topic);
      if (refusal) call.refusals.push({ ...refusal, topics: answered });
      if (call.topics.size) continue;
      this.#pending.delete(call);
      call.done(call.refusals);
    }
    return settled;
  }
}

/** A client's side of the talk, over all of its connections. No socket, no clock: `send` and `later` carry out, `tell`
 * hands on what is for the user, in order. */
class Conversation {
  positions;
  notice = null; // What the server said just before it closes the connection.
  recovered = null; // Whether this connection went on where the last one ended; null where there was nothing to go on from.
  #topics = new Map(); // what is wanted -> whether it was held before
  #live = new Set();
  #requests = new Map(); // number -> { action, waiting, resumes, since, isOpening, tries, reason, isAcked }
  #numbers = 0;
  #subscribing = new PendingAnswers();
  #unsubscribing = new PendingAnswers();
  #isOpen = false;
  #out;

  constructor(cursor, out) {
    this.positions = new Positions(cursor);
    this.#out = out;
    this.startsHeld = this.positions.cursor !== null; // Until the first connection: topics are heard from that cursor on.
  }

  get isReady() {
    return this.#isOpen && ![...this.#requests.values()].some(({ isOpening }) => isOpening);
  }

  get #isResuming() {
    return [...this.#requests.values()].some(({ resumes, isAcked }) => resumes && !isAcked);
  }

  opened() {
    this.#isOpen = true;
    this.startsHeld = false;
    this.notice = this.recovered = null;
    this.positions.begin();
    const since = this.positions.cursor;
    for (const wasHeld of [true, false]) {
      const topics = [...this.#topics].filter(([, held]) => held === wasHeld).map(([topic]) => topic);
      this.#request("subscribe", topics, wasHeld ? { isOpening: true, resumes: true, since } : { isOpening: true });
    }
  }

  lost() {
    this.#isOpen = false;
    this.#requests.clear();
    this.#live.clear();
    this.#unsubscribing.settle(this.#unsubscribing.topics);
  }

  subscribe(topics, done) {
    const fresh = topics.filter((topic) => !this.#topics.has(topic));
    for (const topic of fresh) this.#topics.set(topic, this.startsHeld);
    const call = this.#subscribing.add(
      topics.filter((topic) => !this.#live.has(topic)),
      done,
    );
    if (this.#isOpen) this.#request("subscribe", fresh);
    return call;
  }

  /** Nobody waits for this any more. */
  abandon(call) {
    this.#subscribing.remove(call);
  }

  unsubscribe(topics, done = () => {}) {
    const held = topics.filter((topic) => this.#topics.delete(topic));
    for (const topic of held) this.#live.delete(topic);
    this.#unsubscribing.add(this.#isOpen ? held : [], done);
    if (this.#isOpen) this.#request("unsubscribe", held);
  }

  #request(action, topics, details = {}) {
    for (let start = 0; start < topics.length; start += CHUNK) {
      const chunk = topics.slice(start, start + CHUNK);
      this.#out.send(this.#message({ action, waiting: new Set(chunk), tries: 0, ...details }, chunk));
    }
  }

  #message(request, topics) {
    const number = (this.#numbers += 1);
    this.#requests.set(number, request);
    return { type: request.action, topics, request_id: number, ...(request.since ? { since: request.since } : {}) };
  }

  // --- The server ---

  /** Act on one frame. What is of no known kind is ignored: a newer server may say more. */
  receive(frame) {
    if ("event_type" in frame) this.#event(frame);
    else if (frame.type === "ack") this.#ack(frame);
    else if (frame.type === "error") this.#error(frame);
    else if (frame.type === "pong") this.#advance(frame);
  }

  #event(frame) {
    if (typeof frame.event_type !== "string" || typeof frame.topic !== "string" || !isObject(frame.data)) {
      throw new TypeError(`An event that cannot be read is ignored: ${JSON.stringify(frame).slice(0, SHOWN_CHARACTERS)}`);
    }
    const positions = readCursor(frame.cursor) ?? new Map();
    if (this.positions.isRepetition(positions)) return;
    this.positions.delivered(positions, this.#isResuming);
    this.#out.emit("event", frame);
  }

  /** Where the frame says up to where all has come, and no topic that is being resumed has yet to begin. */
  #advance(frame) {
    const positions = readCursor(frame.cursor);
    if (positions !== null && !this.#isResuming) this.positions.complete(positions);
  }

  #requestFor(frame, topics) {
    if (typeof frame.request_id === "number") return this.#requests.get(frame.request_id);
    const fits = ({ action, waiting }) => action === frame.action && topics.every((topic) => waiting.has(topic));
    return (frame.request_id ?? null) === null ? [...this.#requests.values()].find(fits) : undefined;
  }

  #settle(request, topics) {
    for (const topic of topics) request.waiting.delete(topic);
    if (request.waiting.size) return;
    for (const [number, each] of this.#requests) if (each === request) this.#requests.delete(number);
  }

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
    if (gap) this.#out.emit("gap", gap);
    this.#subscribing.settle(topics);
    // Withdrawn while the request was under way, or waited to be sent again.
    const leaving = [...this.#requests.values()].filter(({ action }) => action === "unsubscribe");
    const isUnwanted = (topic) => !this.#topics.has(topic) && !leaving.some(({ waiting }) => waiting.has(topic));
    this.#request("unsubscribe", topics.filter(isUnwanted));
  }

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

  #error(frame) {
    const topics = strings(frame.topics);
    const request = this.#requestFor(frame, topics);
    const retry = typeof frame.retry === "boolean" ? frame.retry : null;
    const refusal = { topics, code: String(frame.code ?? ""), message: String(frame.message ?? ""), retry };
    if (request) this.#refused(request, refusal);
    else if (topics.length) this.#drop(refusal); // Not an answer: the server takes them away.
    else if (refusal.code in CloseCode || retry !== null) this.notice = { ...refusal, retry: retry !== false };
    else this.#out.emit("error", new Error(`The server says ${refusal.code}: ${refusal.message}`));
  }

  #refused(request, refusal) {
    if (!refusal.topics.length) {
      // The message as a whole was not accepted: it may be for its cursor, which another kind of server gave.
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
      // Nobody waits who could be told, and the server only wants it slower.
      const again = { ...request, waiting: new Set(topics), tries: request.tries + 1, isAcked: false };
      this.#out.later(1000 * 2 ** request.tries, this.#message(again, topics));
      return;
    }
    this.#drop(refusal);
  }

  /** These topics are not heard: whoever waits for them is told, or else whoever listens for refusals. */
  #drop(refusal) {
    for (const topic of refusal.topics) {
      this.#topics.delete(topic);
      this.#live.delete(topic);
    }
    const settled = this.#subscribing.settle(refusal.topics, refusal);
    const unsettled = refusal.topics.filter((topic) => !settled.has(topic));
    if (unsettled.length) this.#out.emit("refusal", { ...refusal, topics: unsettled });
  }
}

// --- The client ---

/** Topics that are heard by one handler. Made by `EventClient.subscribe`. */
class Subscription {
  constructor(topics, onEvent, leave) {
    this.topics = new Set(topics);
    this.isEnded = false;
    this.isGranted = false;
    this.onEvent = onEvent;
    this.onEnd = new Set();
    this.unsubscribe = leave; // Hear these no more; the promise is fulfilled when the server has said so.
  }
}

export class EventClient {
  #options;
  #url;
  #conversation;
  #backoff;
  #subscriptions = new Set();
  #handlers = new Map();
  /** @type {string} */
  #state = State.IDLE;
  #socket = null;
  #attempt = 0; // Grows with every dial and end: what an older one still brings is void.
  #timers = new Set(); // of this connection
  #retryTimer = null;
  #openedAt = 0;
  #receivedAt = 0; // by the clock
  #lastReceivedAt = null;
  #pings = new Map(); // request id -> { resolve, reject }
  #pingNumber = 0;
  #unwatchBrowser = null;
  #token = null;
  #tokenReason = "connect";
  #tokenIsNew = false;
  #spentToken = null;

  /**
   * url: of the WebSocket, ws: or wss: (or a path, in a browser).
   * token: the credential, or an async function that gives one. It is asked again only when the one before is not accepted
   *   any more, and told why: { reason: "connect" | "expired" | "refused" }. What it throws is taken for a passing trouble.
   * cursor: go on after this one, such as that of a state that was loaded; without, topics are heard from now on.
   * WebSocket, fetch: of your own, where the platform has none.
   */
  constructor({ url, token, ...options }) {
    if (typeof token !== "function" && typeof token !== "string") {
      throw new TypeError("token is the credential, or a function that returns a promise of it");
    }
    this.#options = { ...DEFAULTS, WebSocket: globalThis.WebSocket, fetch: globalThis.fetch?.bind(globalThis), token, ...options };
    this.#url = new URL(url, globalThis.location?.href);
    this.#url.protocol = this.#url.protocol.replace(/^http/, "ws");
    this.#backoff = new Backoff(this.#options.random);
    this.#conversation = new Conversation(this.#options.cursor, {
      send: (message) => this.#send(message),
      later: (milliseconds, message) => this.#after(milliseconds, () => this.#send(message)),
      emit: (kind, detail) => this.#deliver(kind, detail),
    });
  }

  get state() {
    return this.#state;
  }

  /** Up to where all events have been delivered: keep it, and a later client goes on after it. */
  get cursor() {
    return this.#conversation.positions.cursor;
  }

  /** When the last frame of whatever kind arrived, in milliseconds of Date.now(); null before the first. */
  get lastReceivedAt() {
    return this.#lastReceivedAt;
  }

  /**
   * Listen to "state" ({ previous, current, retryInMs, reason, code, recovered }), "gap" ({ topics, reason, cursor }: events
   * may be missing, load the present state anew), "refusal" ({ topics, code, message }: not heard any more) or "error" (an
   * Error that broke nothing). Returns a function that ends it.
   */
  on(name, handler) {
    if (!this.#handlers.has(name)) this.#handlers.set(name, new Set());
    this.#handlers.get(name).add(handler);
    return () => this.#handlers.get(name).delete(handler);
  }

  /** Connect; `subscribe` does so by itself. From `failed` this tries again, and goes on where it was. */
  connect() {
    if (this.#state !== State.IDLE && this.#state !== State.FAILED) return;
    this.#token = this.#spentToken = null;
    this.#tokenReason = "connect";
    this.#tokenIsNew = false;
    this.#watchBrowser();
    this.#setState(State.CONNECTING);
    this.#dial();
  }

  /** Close, and forget all subscriptions. */
  close() {
    if (this.#state === State.IDLE) return;
    this.#drop();
    this.#stopWaiting();
    this.#setState(State.IDLE);
    for (const subscription of [...this.#subscriptions]) this.#end(subscription, new ConnectionFailed("CLOSED", "The client was closed"));
  }

  /**
   * Hear events of these topics from the gateway's ack on, which fulfils the promise with a subscription. Where it refuses
   * some, the promise is rejected with a SubscribeError. `signal` is an AbortSignal that ends the subscription.
   */
  subscribe(topics, onEvent, /** @type {{ signal?: AbortSignal }} */ { signal } = {}) {
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
      let call = null;
      const stop = (error) => {
        if (call) this.#conversation.abandon(call);
        reject(error ?? new ConnectionFailed("CLOSED", "Unsubscribed before the answer came"));
      };
      subscription.onEnd.add(stop);
      const done = (refusals) => {
        subscription.onEnd.delete(stop);
        subscription.isGranted = true;
        for (const topic of refusals.flatMap((refusal) => refusal.topics)) subscription.topics.delete(topic);
        if (!subscription.topics.size) this.#end(subscription);
        if (refusals.length) reject(new SubscribeError(refusals, subscription.topics.size ? subscription : null));
        else resolve(subscription);
      };
      call = this.#conversation.subscribe(list, done);
      this.connect();
    });
  }

  /**
   * The same as an async iterator: `for await (const event of client.events(topics)) …`; leaving the loop unsubscribes. The
   * signal, or `close`, ends it. It throws a ConnectionFailed when the client fails, and a SubscribeError when the server takes
   * all of the topics away.
   */
  async *events(topics, options = {}) {
    const waiting = [];
    let failure = null;
    let wake = () => {};
    const onEvent = (event) => {
      waiting.push(event);
      wake();
    };
    const subscription = await this.subscribe(topics, onEvent, options);
    subscription.onEnd.add((error) => {
      if (error instanceof SubscribeError) failure = error;
      wake();
    });
    const stopListening = this.on("state", ({ current, code, reason }) => {
      if (current === State.FAILED) failure = new ConnectionFailed(code, reason);
      wake();
    });
    try {
      while (true) {
        while (waiting.length) yield waiting.shift();
        if (failure) throw failure;
        if (subscription.isEnded) return;
        /** @type {Promise<void>} */
        const woken = new Promise((resolve) => {
          wake = resolve;
        });
        await woken;
      }
    } finally {
      stopListening();
      subscription.unsubscribe();
    }
  }

  /** Ask the server. It answers in order: when the promise is fulfilled, all that came before has been delivered. */
  ping() {
    if (this.#socket?.readyState !== 1) return Promise.reject(new ConnectionFailed("CLOSED", "There is no connection"));
    const request_id = `ping-${(this.#pingNumber += 1)}`;
    return new Promise((resolve, reject) => {
      this.#pings.set(request_id, { resolve, reject });
      this.#send({ type: "ping", request_id });
    });
  }

  /** End a subscription: its topics that no other one holds are unsubscribed. */
  #end(subscription, error = null) {
    if (subscription.isEnded) return Promise.resolve();
    subscription.isEnded = true;
    this.#subscriptions.delete(subscription);
    for (const each of subscription.onEnd) each(error);
    const kept = new Set([...this.#subscriptions].flatMap(({ topics }) => [...topics]));
    /** @type {Promise<void>} */
    const unsubscribed = new Promise((resolve) => {
      this.#conversation.unsubscribe([...subscription.topics].filter((topic) => !kept.has(topic)), () => resolve());
    });
    return unsubscribed;
  }

  // --- Connecting ---

  async #dial() {
    const attempt = ++this.#attempt;
    const { WebSocket, connectTimeoutMs, batch } = this.#options;
    let token;
    try {
      token = await this.#credential();
    } catch (error) {
      if (attempt === this.#attempt) this.#retry(this.#backoff.pause(), "NO_TOKEN", `There is no credential now: ${error?.message ?? error}`);
      return;
    }
    if (attempt !== this.#attempt) return;
    if (!token) return this.#fail("UNAUTHORIZED", "There is no credential");
    if (token === this.#spentToken?.token) return this.#fail("UNAUTHORIZED", this.#spentToken.message);
    this.#token = token;
    const address = new URL(this.#url);
    address.searchParams.set("token", token);
    if (batch) address.searchParams.set("batch", "true");
    let socket;
    try {
      socket = this.#socket = new WebSocket(address.href);
    } catch (error) {
      return this.#fail("NOT_A_GATEWAY", error.message);
    }
    const unanswered = this.#after(connectTimeoutMs, () => this.#notOpened("The server does not answer"));
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      this.#options.clock.clearTimeout(unanswered);
      this.#opened();
    };
    socket.onmessage = ({ data }) => this.#socket === socket && this.#receive(data);
    socket.onclose = ({ code, reason }) => {
      if (this.#socket !== socket) return;
      if (this.#openedAt === null) this.#notOpened("The connection could not be opened");
      else this.#closed(code, reason);
    };
    socket.onerror = () => {}; // A close follows.
    this.#openedAt = null;
    return undefined;
  }

  async #credential() {
    const { token } = this.#options;
    if (this.#token !== null) return this.#token;
    return typeof token === "function" ? token({ reason: this.#tokenReason }) : token;
  }

  /** Another credential is needed: once, for a new one that is not accepted either is the end. */
  #renewToken(reason, message, retryInMs) {
    if (typeof this.#options.token !== "function" || this.#tokenIsNew) return this.#fail("UNAUTHORIZED", message);
    this.#spentToken = { token: this.#token, message };
    this.#token = null;
    this.#tokenReason = reason;
    this.#tokenIsNew = true;
    return this.#retry(retryInMs(), "UNAUTHORIZED", message);
  }

  #opened() {
    this.#tokenIsNew = false;
    this.#spentToken = null;
    this.#openedAt = this.#options.clock.now();
    this.#noteReceived();
    this.#watchSilence();
    this.#conversation.opened();
    this.#updateReady();
  }

  #updateReady() {
    if (this.#conversation.isReady && this.#state !== State.CONNECTED) this.#setState(State.CONNECTED, { recovered: this.#conversation.recovered });
  }

  #closed(code, said) {
    const { notice } = this.#conversation;
    const name = notice?.code in CloseCode ? notice.code : (CLOSE_NAMES.get(code) ?? "LOST");
    const closed = [1005, 1006].includes(code) ? "The connection was lost" : `The server closed with code ${code}`;
    const message = notice?.message || said || closed;
    this.#drop();
    if (name === "PROTOCOL_ERROR") return this.#fail(name, message);
    if (name === "REVOKED" || notice?.retry === false) return this.#fail("FORBIDDEN", message);
    if (name === "TOKEN_EXPIRED") return this.#renewToken("expired", message, () => this.#backoff.shortPause(0));
    if (name === "RESTARTING") return this.#retry(this.#backoff.shortPause(FIRST_PAUSE_MS), name, message);
    return this.#retry(name === "TOO_MANY" ? this.#backoff.longPause() : this.#backoff.pause(), name, message);
  }

  /** A browser does not tell why a socket was refused; a plain GET of the same address does. */
  async #notOpened(reason) {
    const token = this.#token;
    this.#drop();
    const attempt = this.#attempt;
    const address = new URL(this.#url);
    address.protocol = address.protocol.replace(/^ws/, "http");
    let status = null;
    let message = reason;
    try {
      const answer = await this.#options.fetch(address.href, { headers: { Authorization: `Bearer ${token}` }, cache: "no-store" });
      status = answer.status;
      const content = await answer.json().catch(() => null);
      if (status !== 426) message = typeof content?.message === "string" ? content.message : `The server answered with status ${status}`;
    } catch {
      // It does not answer at all, or may not be asked from this origin.
    }
    if (attempt !== this.#attempt) return;
    if (status === 401) this.#renewToken("refused", message, () => 0);
    else if (status === 403) this.#fail("FORBIDDEN", message);
    else if (status === 404) this.#fail("NOT_A_GATEWAY", message);
    else this.#retry(status === 429 ? this.#backoff.longPause() : this.#backoff.pause(), "UNREACHABLE", message);
  }

  #retry(retryInMs, code, reason) {
    const { clock } = this.#options;
    clock.clearTimeout(this.#retryTimer);
    this.#attempt += 1;
    this.#retryTimer = clock.setTimeout(() => {
      this.#retryTimer = null;
      this.#dial();
    }, retryInMs);
    this.#setState(globalThis.navigator?.onLine === false ? State.SUSPENDED : State.RECONNECTING, { retryInMs, code, reason });
  }

  #fail(code, reason) {
    this.#drop();
    this.#stopWaiting();
    this.#setState(State.FAILED, { code, reason });
    const error = new ConnectionFailed(code, reason);
    for (const subscription of [...this.#subscriptions]) {
      // Who waits for an answer, waits in vain; what was granted goes on should somebody `connect` again.
      if (!subscription.isGranted) this.#end(subscription, error);
    }
  }

  /** Let go of the socket, whatever becomes of it. */
  #drop() {
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

  #stopWaiting() {
    this.#options.clock.clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    this.#unwatchBrowser?.();
    this.#unwatchBrowser = null;
  }

  /** The network is back, or somebody looks at the page again: no more waiting. */
  #watchBrowser() {
    if (this.#unwatchBrowser || typeof globalThis.addEventListener !== "function") return;
    const retryNow = ({ type }) => {
      if (type === "visibilitychange" && globalThis.document.visibilityState === "hidden") return;
      if (this.#retryTimer !== null) this.#retry(0, "HURRIED", "Trying at once");
      else if (this.#state === State.CONNECTED) this.#checkAlive();
    };
    globalThis.addEventListener("online", retryNow);
    globalThis.document?.addEventListener("visibilitychange", retryNow);
    this.#unwatchBrowser = () => {
      globalThis.removeEventListener("online", retryNow);
      globalThis.document?.removeEventListener("visibilitychange", retryNow);
    };
  }

  // --- An open connection ---

  #after(milliseconds, action) {
    const { clock } = this.#options;
    const timer = clock.setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, milliseconds);
    this.#timers.add(timer);
    return timer;
  }

  /** A connection may die without a word: when it is quiet, ask for one, and take silence for its death. */
  #watchSilence() {
    const { clock, pingIntervalMs } = this.#options;
    const quiet = clock.now() - this.#receivedAt;
    if (quiet < pingIntervalMs) this.#after(pingIntervalMs - quiet, () => this.#watchSilence());
    else this.#checkAlive(() => this.#watchSilence());
  }

  #checkAlive(then = () => {}) {
    const { clock, pingTimeoutMs } = this.#options;
    const sentAt = clock.now();
    this.#send({ type: "ping" });
    this.#after(pingTimeoutMs, () => {
      if (this.#receivedAt >= sentAt) then();
      else this.#closed(1006, "The server does not answer");
    });
  }

  #noteReceived() {
    this.#receivedAt = this.#options.clock.now();
    this.#lastReceivedAt = Date.now();
  }

  #send(message) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
  }

  #receive(text) {
    this.#noteReceived();
    let content;
    try {
      content = JSON.parse(text);
    } catch {
      this.#report(new TypeError(`A frame that is no JSON is ignored: ${String(text).slice(0, SHOWN_CHARACTERS)}`));
      return;
    }
    const socket = this.#socket;
    for (const frame of Array.isArray(content) ? content : [content]) {
      if (this.#socket !== socket) return; // A handler closed the client.
      try {
        if (!isObject(frame)) throw new TypeError(`A frame that is no object is ignored: ${JSON.stringify(frame).slice(0, SHOWN_CHARACTERS)}`);
        this.#conversation.receive(frame);
        if (frame.type === "pong") this.#ponged(frame);
        this.#updateReady();
      } catch (error) {
        this.#report(error);
      }
    }
  }

  #ponged({ request_id }) {
    const id = this.#pings.has(request_id) ? request_id : null;
    this.#pings.get(id)?.resolve();
    this.#pings.delete(id);
  }

  // --- Telling ---

  #deliver(kind, detail) {
    if (kind !== "event") {
      if (kind === "refusal") this.#removeTopics(detail);
      if (kind === "error") this.#report(detail);
      else this.#emit(kind, detail);
      return;
    }
    for (const subscription of [...this.#subscriptions]) {
      if ([...subscription.topics].some((pattern) => covers(pattern, detail.topic))) this.#callHandler(subscription.onEvent, detail);
    }
  }

  /** The server takes topics away: a subscription that has no other is over. */
  #removeTopics(refusal) {
    for (const subscription of [...this.#subscriptions]) {
      for (const topic of refusal.topics) subscription.topics.delete(topic);
      if (!subscription.topics.size) this.#end(subscription, new SubscribeError([refusal], null));
    }
  }

  #setState(current, { retryInMs = null, reason = null, code = null, recovered = null } = {}) {
    const previous = this.#state;
    this.#state = current;
    this.#emit("state", { previous, current, retryInMs, reason, code, recovered });
  }

  #emit(name, detail) {
    for (const handler of [...(this.#handlers.get(name) ?? [])]) this.#callHandler(handler, detail, name === "error");
  }

  /** Call a handler of the user's: what it throws, at once or later, is reported and breaks nothing. */
  #callHandler(handler, argument, isLastResort = false) {
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
