/**
 * Client of a voipbin-ws gateway: one WebSocket that reconnects, resumes and delivers each event once.
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
 * The Python client in clients/python/ behaves alike: tests/conformance/ verifies both. Long because a project can copy this
 * one file.
 */

/** @typedef {{ event_type: string, topic: string, timestamp: string, id: string, cursor: string, data: any, active?: boolean, agent_ids?: string[], phase?: any }} GatewayEvent */
/** @typedef {(event: GatewayEvent) => unknown} EventHandler */
/** @typedef {{ topics: string[], code: string, message: string, retry: boolean | null, retryAfter?: number }} Refusal `retryAfter` is in seconds. */
/** @typedef {{ topics: string[], reason: string, cursor: string | null }} Gap */
/** @typedef {{ previous: string, current: string, retryInMs: number | null, reason: string | null, code: string | null, recovered: boolean | null }} StateChange */
/** @typedef {{ state: StateChange, gap: Gap, refusal: Refusal, error: Error }} Notifications */
/** @typedef {{ now(): number, setTimeout(callback: () => void, milliseconds: number): any, clearTimeout(id: any): void }} Clock */

/**
 * @typedef {object} Options
 * @property {string | URL} url The gateway's WebSocket, `ws:` or `wss:`; in a browser also a path.
 * @property {string | ((why: { reason: "connect" | "expired" | "refused" }) => Promise<string> | string)} token The credential,
 *   or a function that returns it. The function is called again only after the gateway rejected the last credential. An error
 *   that it throws is temporary: the client retries.
 * @property {string | null} [cursor] Receive the events after this position, such as the cursor of a loaded state. Without a
 *   cursor the client receives events from now on.
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

export const State = Object.freeze({
  IDLE: "idle", // Not connected, before `connect` and after `close`.
  CONNECTING: "connecting", // For the first time.
  CONNECTED: "connected", // And the gateway has answered for every topic: the granted ones are live.
  RECONNECTING: "reconnecting", // Waiting for `retryInMs`, then connecting.
  SUSPENDED: "suspended", // The same, while the browser reports that it has no network.
  FAILED: "failed", // A retry is useless without a change from outside, followed by `connect`.
});

export const CloseCode = Object.freeze({
  RESTARTING: 4012,
  PROTOCOL_ERROR: 4400,
  TOKEN_EXPIRED: 4401,
  REVOKED: 4403,
  TOO_SLOW: 4408,
  TOO_MANY: 4429,
});

/** The gateway refused topics. `code` and the message are those of the first refusal; `topics` are all refused topics. */
export class SubscribeError extends Error {
  /** @param {Refusal[]} refusals @param {Subscription | null} subscription Holds the granted topics; `null` if there are none. */
  constructor(refusals, subscription) {
    super(refusals[0].message);
    this.name = "SubscribeError";
    this.code = refusals[0].code;
    this.topics = refusals.flatMap(({ topics }) => topics);
    this.retry = refusals[0].retry ?? this.code === "RATE_LIMITED";
    this.subscription = subscription;
  }
}

/** The client has stopped. `code`: UNAUTHORIZED, FORBIDDEN, PROTOCOL_ERROR, NOT_A_GATEWAY, LOST or CLOSED. Only the gateway's own answers stop it. */
export class ConnectionFailed extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = "ConnectionFailed";
    this.code = code;
  }
}

/** Return whether `pattern` (with wildcards, or a prefix) covers the concrete `topic`. @param {string} pattern @param {string} topic */
export function covers(pattern, topic) {
  const parts = topic.split(":");
  const wanted = pattern.split(":");
  return wanted.length <= parts.length && wanted.every((part, index) => part === "*" || part === parts[index]);
}

const CLOSE_NAMES = new Map(Object.entries(CloseCode).map(([name, code]) => [/** @type {number} */ (code), name]));
const MAX_TOPICS = 100; // In one message: the gateway's default limit.
const RATE_LIMIT_TRIES = 5;
const MAX_RETRY_SECONDS = 60;
const HURRY_MS = 2000; // An attempt without an answer for so long may be one that the network lost.
const MAX_QUOTED = 200; // Characters of a bad frame in an error's message.

const DEFAULTS = {
  cursor: null,
  batch: true,
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

// --- Backoff ---

const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;
const MAX_AWAY_PAUSE_MS = 5000; // While the gateway itself does not answer: asking costs it nothing.
const STABLE_MS = 5000; // After a connection that lasted this long the pauses start again from the shortest.
const MAX_SHORT_PAUSES = 2; // In a row, without a stable connection between them.

/** Pauses between attempts. Random, so that a thousand clients do not reconnect at the same time. */
class Backoff {
  #random;
  #failures = 0;
  #shortPauses = 0;

  /** @param {() => number} random */
  constructor(random) {
    this.#random = random;
  }

  /** @param {number} milliseconds */
  connectionLasted(milliseconds) {
    if (milliseconds >= STABLE_MS) this.#failures = this.#shortPauses = 0;
  }

  /** Return 0 to 1 s; the upper limit doubles with each failure, up to `maxMs`. */
  pause(maxMs = MAX_PAUSE_MS) {
    return this.#random() * Math.min(maxMs, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures++, 16));
  }

  /** Return the pause after a close that asks the client to reconnect at once. @param {number} jitterMs */
  shortPause(jitterMs) {
    this.#shortPauses += 1;
    return this.#shortPauses <= MAX_SHORT_PAUSES ? this.#random() * jitterMs : this.pause();
  }

  /** Return the pause after the gateway rejected the connection as one too many: 15 to 30 s. */
  longPause() {
    this.#failures += 1;
    return (MAX_PAUSE_MS * (1 + this.#random())) / 2;
  }
}

// --- Positions ---

/** Parse a cursor: the event numbers by the epoch of their log; `null` if it is not a cursor. @param {unknown} text */
function readCursor(text) {
  if (typeof text !== "string") return null;
  /** @type {Map<string, bigint>} */
  const positions = new Map();
  for (const part of text.split(",")) {
    const match = part.match(/^([^.,]+)\.(\d+)$/);
    if (!match) return null;
    positions.set(match[1], BigInt(match[2]));
  }
  return positions;
}

/**
 * The position in each log from which the client resumes, and the events that were delivered beyond it.
 *
 * The cursor of an event names its own log alone; the cursor of an ack or a pong is complete. While topics are resumed in
 * several messages, the replay for a later message starts where the first one started. The positions stay until all messages
 * are acknowledged. Events delivered meanwhile are remembered, and not delivered again after another break.
 */
class Positions {
  #positions;
  /** @type {Map<string, bigint>} */ #starts = new Map(); // Of the current connection.
  /** @type {Set<string>} */ #delivered = new Set(); // Cursors of events beyond the positions, on this connection.
  /** @type {Set<string>} */ #deliveredBefore = new Set(); // The same, on earlier connections.

  /** @param {string | null} cursor */
  constructor(cursor) {
    this.#positions = readCursor(cursor) ?? new Map();
  }

  get cursor() {
    const positions = [...this.#positions].sort(([one], [other]) => (one < other ? -1 : 1));
    return positions.map(([epoch, number]) => `${epoch}.${number}`).join(",") || null;
  }

  startConnection() {
    this.#starts = new Map(this.#positions);
    const delivered = [...this.#deliveredBefore, ...this.#delivered];
    this.#deliveredBefore = new Set(delivered.filter((cursor) => !this.#isBehindStart(readCursor(cursor))));
    this.#delivered.clear();
  }

  /** @param {Map<string, bigint> | null} positions */
  #isBehindStart(positions) {
    return [...(positions ?? [])].some(([epoch, number]) => number <= (this.#starts.get(epoch) ?? -1n));
  }

  /** Return whether an event was delivered before. @param {Map<string, bigint>} positions */
  isRepetition(positions) {
    return this.#isBehindStart(positions) || [...positions].some(([epoch, number]) => this.#deliveredBefore.has(`${epoch}.${number}`));
  }

  /** @param {Map<string, bigint>} positions @param {boolean} isResuming */
  delivered(positions, isResuming) {
    for (const [epoch, number] of positions) {
      if (isResuming) this.#delivered.add(`${epoch}.${number}`);
      else this.#positions.set(epoch, number);
    }
  }

  /** Take over a complete cursor. @param {Map<string, bigint>} positions */
  complete(positions) {
    this.#positions = new Map(positions);
  }

  /** The gateway could not resume. If a log has gone backwards, its old numbers mean nothing. @param {Map<string, bigint>} positions */
  notRecovered(positions) {
    for (const [epoch, number] of positions) {
      if (number >= (this.#starts.get(epoch) ?? 0n)) continue;
      this.#starts.delete(epoch);
      for (const cursors of [this.#delivered, this.#deliveredBefore]) {
        for (const cursor of cursors) if (cursor.startsWith(`${epoch}.`)) cursors.delete(cursor);
      }
    }
  }
}

// --- The conversation with the gateway ---

/** @param {unknown} value @returns {string[]} */
function strings(value) {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

/** @param {unknown} value */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

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
class Conversation {
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

// --- Answers over HTTP ---

/** @typedef {{ status: number, code: string, message: string }} Answer `code` is the gateway's, or INTERMEDIARY. */

const IS_GATEWAY = "UPGRADE_REQUIRED"; // The gateway's answer to a GET with a good credential.
const FINAL = new Map([
  ["FORBIDDEN_ORIGIN", "FORBIDDEN"],
  ["NOT_FOUND", "NOT_A_GATEWAY"],
  ["INVALID_REQUEST", "NOT_A_GATEWAY"], // The address names a host that the gateway does not serve.
]);
const BLOCKED = "WebSockets are blocked between here and the gateway: it answers over HTTP, but the upgrade does not arrive";

/**
 * Read the answer to a plain GET. Only a JSON object with `code` and `message` is the gateway's own: all else comes from a
 * proxy, a firewall or a captive portal.
 * @param {Response} response @returns {Promise<Answer>}
 */
async function readAnswer(response) {
  const { status } = response;
  const kind = (response.headers.get("Content-Type") ?? "").split(";")[0] || "no content type";
  const content = kind === "application/json" ? await response.json().catch(() => null) : null;
  if (typeof content?.code === "string" && typeof content.message === "string") return { status, code: content.code, message: content.message };
  const isRedirect = response.type === "opaqueredirect" || (status >= 300 && status < 400);
  const what = isRedirect ? "with a redirect, perhaps to a login page" : `${status} (${kind})`;
  return { status, code: "INTERMEDIARY", message: `An intermediary answered ${what}, not the gateway` };
}

// --- The client ---

/** Topics whose events one handler receives. Made by `EventClient.subscribe`. */
class Subscription {
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
  /** @type {Set<Subscription>} */ #subscriptions = new Set();
  /** @type {Map<string, Set<(detail: any) => unknown>>} */ #handlers = new Map();
  /** @type {string} */ #state = State.IDLE;
  /** @type {WebSocket | null} */ #socket = null;
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
   * `error`: an error that stopped nothing, such as one thrown by a handler.
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
   * @param {string | string[]} topics
   * @param {EventHandler} onEvent
   * Of topics with a `filter`, only events whose tags match are received, and with `left: true` the first one with which a resource
   * stops matching. Subscribing to a topic again replaces its filter.
   *
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
    this.#dial();
  }

  /** @returns {URL} The address with the credential, for the WebSocket and the GET alike. */
  #address() {
    const address = new URL(this.#url);
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

  #onOpen() {
    this.#isTokenNew = this.#asksFirst = false;
    this.#rejectedToken = null;
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
    if (answer === null) return this.#retry(this.#backoff.pause(MAX_AWAY_PAUSE_MS), "UNREACHABLE", silence);
    const { status, code, message } = answer;
    if (code === "UNAUTHORIZED") return this.#renewToken("refused", message, () => 0);
    const failure = FINAL.get(code);
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
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
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
    this.#emit("state", { previous, current, retryInMs, reason, code, recovered });
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
