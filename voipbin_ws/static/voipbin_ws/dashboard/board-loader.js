/** What the board begins with, read from the gateway: a customer's calls, queues and agents, and what happened in the last hour. */

import { WINDOW_MS } from "./service-level.js";
import { ApiError, read, readAll } from "../shared/auth.js";
import { parseTime } from "../shared/time.js";

const HISTORY_PAGES = 5;
const BOARD_RESOURCES = ["call", "queue", "agent"];
const TIMELINE_RESOURCES = ["recording", "transcription", "activeflow", "conference"];
const LAST_HOUR_TYPES = ["queue.connected", "queue.left", "call.ended", "agent.status"];
const TIMELINE_BEFORE_MS = 60_000;
const TIMELINE_AFTER_MS = 3_600_000;

/** Those topics of the customer's resources that the credential may hear. */
function permittedTopics(me, resources) {
  const whole = `customer_id:${me.customer.id}:*:*`;
  const topics = resources.map((resource) => `customer_id:${me.customer.id}:${resource}:*`);
  return topics.filter((topic) => me.topics.includes(topic) || me.topics.includes(whole));
}

/** `me` as it is for the customer that platform staff chose; for everybody else it stays. */
export async function readMeForCustomer(me, customerId) {
  if (me.role !== "staff" || !customerId || customerId === me.customer.id) return me;
  try {
    return (await read("/v1.0/me", { customer_id: customerId })).content;
  } catch (error) {
    // An address may name a customer that there is not.
    if (error instanceof ApiError && (error.status === 404 || error.status === 400)) return me;
    throw error;
  }
}

/** The customers that platform staff may choose from; none for everybody else. */
export async function readCustomers(me) {
  return me.role === "staff" ? (await read("/v1.0/customers")).content.items : [];
}

/** The topics, the cursor from where to follow them, and the content for Board.load; null for who may not hear the calls. */
export async function readBoard(me) {
  const topics = permittedTopics(me, BOARD_RESOURCES);
  if (!topics.some((topic) => topic.split(":")[2] === "call")) return null;
  const query = { active: "true", customer_id: me.customer.id };
  // The calls first: their cursor is the oldest, and what the others know beyond it comes again and changes nothing.
  const calls = await readAll("/v1.0/calls", query);
  const others = topics.map((topic) => topic.split(":")[2]);
  const [queues, agents] = await Promise.all(
    ["queue", "agent"].map((resource) => (others.includes(resource) ? readAll(`/v1.0/resources/${resource}`, query) : { items: [] })),
  );
  return { topics, cursor: calls.cursor, content: { me, calls: calls.items, queues: queues.items, agents: agents.items } };
}

/** What the last hour's numbers are made of: { events, since }, where `since` is from when on nothing is left out. */
export async function readLastHour(me, now) {
  const from = new Date(now - WINDOW_MS).toISOString();
  const query = { from, order: "desc", customer_id: me.customer.id };
  const heard = LAST_HOUR_TYPES.filter((type) => permittedTopics(me, [type.split(".")[0]]).length);
  const parts = await Promise.all(heard.map((type) => readAll("/v1.0/events", { ...query, type }, HISTORY_PAGES)));
  // Where there was too much to read it all, the oldest that was read tells from when on it is complete.
  const begins = parts.filter(({ isWhole }) => !isWhole).map(({ items }) => parseTime(items.at(-1)?.timestamp) ?? now);
  return { events: parts.flatMap(({ items }) => items), since: Math.max(now - WINDOW_MS, ...begins) };
}

/** The topics that a call's story needs beside those of the board. */
export function timelineTopics(me) {
  return permittedTopics(me, TIMELINE_RESOURCES);
}

/** All that is kept of a call, in the log's order. */
export async function readTimeline(me, callId) {
  const whose = { customer_id: me.customer.id };
  const { items } = await readAll("/v1.0/events", { ...whose, resource: "call", resource_id: callId }, HISTORY_PAGES);
  if (!items.length) return [];
  const times = items.map(({ timestamp }) => parseTime(timestamp)).filter((at) => at !== null);
  const ended = items.some(({ event_type }) => event_type === "call.ended");
  /** @type {Record<string, string>} */
  const query = { ...whose, call_id: callId, from: new Date(Math.min(...times) - TIMELINE_BEFORE_MS).toISOString() };
  if (ended) query.to = new Date(Math.max(...times) + TIMELINE_AFTER_MS).toISOString();
  return (await readAll("/v1.0/events", query, HISTORY_PAGES)).items;
}
