/** Keeping a board true: load the present state, follow the log from there, and know how old it all is. */

import { EventClient, State } from "./event-client.js";
import { WINDOW_MS } from "./calls.js";
import { ApiError, read, readAll, signOut, token } from "./session.js";

const PING_MS = 2000;
const SILENCE_MS = 5000;
const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 30_000;
const HISTORY_PAGES = 5;
const CLOCKS_AGREE_MS = 2000;

export class Live {
  #board;
  #client = null;
  #turn = 0; // grows with every start and stop: what an older one still brings is void
  #failures = 0;
  #timer = null;

  /** `on` has functions: `changed()` after events, `loaded(me)`, `state()` when `connection` changed, `denied(me)`, and
   * `signedOut(message)`. */
  constructor(board, on) {
    this.#board = board;
    this.on = on;
    this.connection = { name: "connecting", retryAt: null, message: "" };
    this.loadedAt = null;
    this.clockAhead = 0; // how much the gateway's clock is ahead of ours
  }

  start() {
    this.#failures = 0;
    this.#load();
  }

  stop() {
    this.#turn += 1;
    clearTimeout(this.#timer);
    this.#client?.close();
    this.#client = null;
    this.loadedAt = null;
  }

  /** When what is shown was last known to be true, as milliseconds of Date.now(). */
  get knownAt() {
    return Math.max(this.loadedAt ?? 0, this.connection.name === "live" ? (this.#client?.heardAt ?? 0) : this.#knownUntil);
  }

  #knownUntil = 0;

  /** Whether what is shown may not be true any more. */
  get isStale() {
    return this.loadedAt !== null && Date.now() - this.knownAt > SILENCE_MS;
  }

  /** The gateway's time; it stands still while what is shown is stale. */
  get now() {
    return (this.isStale ? this.knownAt : Date.now()) + this.clockAhead;
  }

  // --- Loading ---

  async #load() {
    const turn = ++this.#turn;
    clearTimeout(this.#timer);
    this.#connection("connecting");
    this.#client?.close();
    this.#client = null;
    try {
      const { content: me, at } = await read("/v1.0/me");
      if (turn !== this.#turn) return;
      const off = at === null ? 0 : at - Date.now();
      this.clockAhead = Math.abs(off) > CLOCKS_AGREE_MS ? off : 0;
      const topics = [`customer_id:${me.customer.id}:call:*`, `customer_id:${me.customer.id}:queue:*`, `customer_id:${me.customer.id}:agent:*`];
      const mine = topics.filter((topic) => me.topics.includes(topic) || me.topics.includes(`customer_id:${me.customer.id}:*:*`));
      if (!mine.includes(topics[0])) {
        this.on.denied(me);
        return;
      }
      // The calls first: their cursor is the oldest, and what the others know beyond it comes again and changes nothing.
      const calls = await readAll("/v1.0/calls", { active: "true" });
      const others = mine.slice(1).map((topic) => topic.split(":")[2]);
      const [queues, agents] = await Promise.all(
        ["queue", "agent"].map((resource) => (others.includes(resource) ? readAll(`/v1.0/resources/${resource}`, { active: "true" }) : { items: [] })),
      );
      const history = others.includes("queue") ? await this.#lastHour() : [];
      if (turn !== this.#turn) return;
      this.#board.load({ me, calls: calls.items, queues: queues.items, agents: agents.items, history }, Date.now() + this.clockAhead);
      this.loadedAt = Date.now();
      this.on.loaded(me);
      this.#follow(mine, calls.cursor);
    } catch (error) {
      if (turn === this.#turn) this.#notLoaded(error);
    }
  }

  async #lastHour() {
    const from = new Date(Date.now() + this.clockAhead - WINDOW_MS).toISOString();
    const kinds = ["queue.connected", "queue.left"];
    const pages = kinds.map((type) => readAll("/v1.0/events", { type, from, order: "desc" }, HISTORY_PAGES));
    return (await Promise.all(pages)).flatMap(({ items }) => items);
  }

  /** Hear what happened since the state was loaded, and whatever happens from now on. */
  #follow(topics, cursor) {
    const client = (this.#client = new EventClient({
      url: "/v1.0/ws",
      token: async () => token(),
      cursor,
      pingIntervalMs: PING_MS,
      pingTimeoutMs: SILENCE_MS - PING_MS,
    }));
    const isCurrent = () => client === this.#client;
    client.on("state", (change) => isCurrent() && this.#changed(client, change));
    client.on("gap", () => isCurrent() && this.#load());
    client.on("refusal", ({ message }) => isCurrent() && this.#signIn(message));
    client.on("error", (error) => console.warn(error));
    const onEvent = (event) => {
      if (!isCurrent()) return;
      this.#board.apply(event, Date.now() + this.clockAhead);
      this.on.changed();
    };
    client.subscribe(topics, onEvent).catch((error) => isCurrent() && this.#notLoaded(error));
  }

  #notLoaded(error) {
    if (error?.name === "ConnectionFailed") return; // The client's state says it.
    if (error?.name === "SubscribeError" && !error.retry) {
      this.#signIn(error.message);
      return;
    }
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
      this.#signIn(error.message);
      return;
    }
    const pause = Math.random() * Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#load(), pause);
    this.#connection(navigator.onLine === false ? "offline" : "reconnecting", Date.now() + pause, error.message);
  }

  // --- The connection ---

  async #changed(client, { current, retryInMs, code, reason }) {
    if (current === State.FAILED) {
      if (code === "UNAUTHORIZED") this.#signIn("Your session has ended.");
      else if (code === "FORBIDDEN") this.#signIn(reason);
      else this.#connection("failed", null, reason);
    } else if (current === State.RECONNECTING || current === State.SUSPENDED) {
      this.#connection(current === State.SUSPENDED ? "offline" : "reconnecting", Date.now() + retryInMs, reason);
    } else if (current === State.CONNECTED) {
      this.#failures = 0;
      this.#connection("connecting");
      // Its answer comes after all that was missed: from then on what is shown is what is.
      await client.ping().catch(() => {});
      if (client === this.#client && client.state === State.CONNECTED) this.#connection("live");
    }
  }

  #connection(name, retryAt = null, message = "") {
    if (this.connection.name === "live" && name !== "live") this.#knownUntil = this.#client?.heardAt ?? 0;
    this.connection = { name, retryAt, message };
    this.on.state();
  }

  #signIn(message) {
    signOut();
    this.stop();
    this.on.signedOut(message);
  }
}
