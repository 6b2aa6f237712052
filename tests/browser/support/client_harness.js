/** Plays a case's client steps, in a browser's page or in Node; each returns what the test compares. Nothing in here decides. */

import * as module from "./event-client.js";

/** Time that stands still until it is moved. What is due at once still is. */
class ManualClock {
  #time = 1_000_000;
  #timers = new Map();
  #last = 0;

  now() {
    return this.#time;
  }

  setTimeout(action, milliseconds) {
    const id = (this.#last += 1);
    this.#timers.set(id, { at: this.#time + milliseconds, action });
    if (milliseconds <= 0) setTimeout(() => this.#fire(id));
    return id;
  }

  clearTimeout(id) {
    this.#timers.delete(id);
  }

  waitsFor(milliseconds) {
    return [...this.#timers.values()].some(({ at }) => at === this.#time + milliseconds);
  }

  move(milliseconds) {
    this.#time += milliseconds;
    for (const [id, { at }] of [...this.#timers]) if (at <= this.#time) this.#fire(id);
  }

  #fire(id) {
    const timer = this.#timers.get(id);
    this.#timers.delete(id);
    timer?.action();
  }
}

export const clock = new ManualClock();
export const asked = [];
export const states = [];
export const items = [];
export const errors = [];
export const calls = {};
export let client;
export let lastState = null;
let subscriptions = [];
let takenCursor = null;

function onEvent(event) {
  const text = (value) => (typeof value === "string" ? value : null);
  items.push({ kind: "event", ...event, type: event.event_type, id: text(event.id), cursor: text(event.cursor), after: client.cursor });
}

async function subscribed(promise) {
  try {
    subscriptions.push(await promise);
    return { granted: true };
  } catch (error) {
    if (error.subscription) subscriptions.push(error.subscription);
    return { granted: false, code: error.code, message: error.message, topics: error.topics, name: error.name };
  }
}

export function start({ url, settings, random, oneByOne, options }) {
  const tokens = [...(settings.tokens ?? [])];
  const provider = async ({ reason }) => {
    asked.push(reason);
    return tokens.shift();
  };
  client = new module.EventClient({
    url,
    token: settings.tokens ? provider : settings.token,
    cursor: settings.cursor ?? null,
    batch: settings.batch ?? false,
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
  for (const some of oneByOne ? topics.map((topic) => [topic]) : topics.length ? [topics] : []) {
    subscribed(client.subscribe(some, onEvent)).then((answer) => {
      if (!answer.granted && answer.name === "SubscribeError") items.push({ kind: "refusal", ...answer, after: client.cursor });
    });
  }
  client.connect();
}

export function subscribe({ as, topics }) {
  calls[as] = subscribed(client.subscribe(topics, onEvent));
}

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

/** Handlers are called at once: the cursor may be ahead of what the test has looked at. */
export function isAt(cursor) {
  return client.cursor === cursor || takenCursor === cursor;
}
