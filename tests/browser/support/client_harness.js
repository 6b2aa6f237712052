/** Plays the client's steps of a conformance case, in a page or in Node, and returns the results to the test. */

import * as module from "./event-client.js";

/** A clock that stands still until it is moved. Timers without a delay still fire. */
class ManualClock {
  #time = 1_000_000;
  /** @type {Map<number, { at: number, action: () => void }>} */ #timers = new Map();
  #last = 0;

  now() {
    return this.#time;
  }

  /** @param {() => void} action @param {number} milliseconds */
  setTimeout(action, milliseconds) {
    const id = (this.#last += 1);
    this.#timers.set(id, { at: this.#time + milliseconds, action });
    if (milliseconds <= 0) setTimeout(() => this.#fire(id));
    return id;
  }

  /** @param {number} id */
  clearTimeout(id) {
    this.#timers.delete(id);
  }

  /** @param {number} milliseconds */
  waitsFor(milliseconds) {
    return [...this.#timers.values()].some(({ at }) => at === this.#time + milliseconds);
  }

  /** @param {number} milliseconds */
  move(milliseconds) {
    this.#time += milliseconds;
    for (const [id, { at }] of [...this.#timers]) if (at <= this.#time) this.#fire(id);
  }

  /** @param {number} id */
  #fire(id) {
    const timer = this.#timers.get(id);
    this.#timers.delete(id);
    timer?.action();
  }
}

export const clock = new ManualClock();
/** @type {string[]} */ export const tokenReasons = [];
/** @type {module.StateChange[]} */ export const states = [];
/** @type {any[]} */ export const items = [];
/** @type {string[]} */ export const errors = [];
/** @type {Record<string, Promise<any>>} */ export const calls = {};
/** @type {module.EventClient} */ export let client;
/** @type {module.StateChange | null} */ export let lastState = null;
/** @type {any[]} */ let subscriptions = [];
/** @type {string | null} */ let takenCursor = null;

/** @param {module.GatewayEvent} event */
function onEvent(event) {
  const text = (/** @type {unknown} */ value) => (typeof value === "string" ? value : null);
  items.push({ kind: "event", ...event, type: event.event_type, id: text(event.id), cursor: text(event.cursor), after: client.cursor });
}

/** @param {Promise<any>} promise */
async function subscribed(promise) {
  try {
    subscriptions.push(await promise);
    return { granted: true };
  } catch (error) {
    if (error.subscription) subscriptions.push(error.subscription);
    return { granted: false, code: error.code, message: error.message, topics: error.topics, name: error.name };
  }
}

/** @param {{ url: string, settings: any, random: number, oneByOne: boolean, options?: object }} _ */
export function start({ url, settings, random, oneByOne, options }) {
  const tokens = [...(settings.tokens ?? [])];
  const provider = async (/** @type {{ reason: string }} */ { reason }) => {
    tokenReasons.push(reason);
    return tokens.shift() ?? new Promise(() => {});
  };
  client = new module.EventClient({
    url,
    token: settings.tokens ? provider : settings.token,
    cursor: settings.cursor ?? null,
    batch: settings.batch ?? false,
    transport: settings.transport ?? "auto",
    random: () => random,
    clock,
    ...options,
  });
  client.on("state", (change) => {
    states.push(change);
    lastState = change;
  });
  client.on("gap", (gap) => items.push({ kind: "gap", ...gap, after: client.cursor }));
  client.on("refusal", (refusal) => items.push({ kind: "refusal", ...refusal, after: client.cursor }));
  client.on("error", (error) => errors.push(String(error.message)));
  const topics = settings.topics ?? [];
  for (const some of oneByOne ? topics.map((/** @type {string} */ topic) => [topic]) : topics.length ? [topics] : []) {
    subscribed(client.subscribe(some, onEvent)).then((answer) => {
      if (!answer.granted && answer.name === "SubscribeError") items.push({ kind: "refusal", ...answer, after: client.cursor });
    });
  }
  client.connect();
}

/** @param {{ as: string, topics: string[], filter?: object }} _ */
export function subscribe({ as, topics, filter }) {
  calls[as] = subscribed(client.subscribe(topics, onEvent, { filter }));
}

/** @param {{ as: string, topics: string[] }} _ */
export function unsubscribe({ as, topics }) {
  const left = subscriptions.filter((each) => topics.some((topic) => each.topics.has(topic)));
  subscriptions = subscriptions.filter((each) => !left.includes(each));
  calls[as] = Promise.all(left.map((each) => each.unsubscribe())).then(() => ({ granted: true }));
}

export function takeItem() {
  const item = items.shift();
  takenCursor = item.after;
  return item;
}

/** Handlers are called at once: the cursor may be ahead of the items that the test has taken. @param {string | null} cursor */
export function isAt(cursor) {
  return client.cursor === cursor || takenCursor === cursor;
}
