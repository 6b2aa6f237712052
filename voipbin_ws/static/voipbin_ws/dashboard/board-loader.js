/** Reads the state of the dashboard from the gateway: calls, queues, agents, and the events of one call. */

import { ApiError, read, readAll } from "../shared/auth.js";
import { parseTime } from "../shared/time.js";

const HISTORY_PAGES = 5;
const BOARD_RESOURCES = ["call", "queue", "agent"];
const TIMELINE_RESOURCES = ["recording", "transcription", "activeflow", "conference"];
const TIMELINE_BEFORE_MS = 60_000;
const TIMELINE_AFTER_MS = 3_600_000;

/** Return the topics of the customer's resources for which the token is authorised. @param {Me} me @param {string[]} resources */
function permittedTopics(me, resources) {
  const whole = `customer_id:${me.customer.id}:*:*`;
  const topics = resources.map((resource) => `customer_id:${me.customer.id}:${resource}:*`);
  return topics.filter((topic) => me.topics.includes(topic) || me.topics.includes(whole));
}

/** Return `me` for the customer that platform staff chose; for others, and an unknown customer, `me`. @param {Me} me @param {string} customerId */
export async function readMeForCustomer(me, customerId) {
  if (me.role !== "staff" || !customerId || customerId === me.customer.id) return me;
  try {
    return /** @type {Me} */ ((await read("/v1.0/me", { customer_id: customerId })).content);
  } catch (error) {
    // The page's address may name a customer that does not exist.
    if (error instanceof ApiError && (error.status === 404 || error.status === 400)) return me;
    throw error;
  }
}

/** Return the customers that platform staff can choose. @returns {Promise<{ id: string, name: string }[]>} */
export async function readCustomers() {
  return (await read("/v1.0/customers")).content.items;
}

/** Return the topics, their cursor, the permitted actions and the content for `Board.load`; `null` without permission for calls. @param {Me} me */
export async function readBoard(me) {
  const topics = permittedTopics(me, BOARD_RESOURCES);
  const resources = topics.map((topic) => topic.split(":")[2]);
  if (!resources.includes("call")) return null;
  const query = { active: "true", customer_id: me.customer.id };
  // The calls first: theirs is the oldest cursor. Events that the other answers already contain change nothing.
  const calls = await readAll("/v1.0/calls", query);
  const ofResource = (/** @type {string} */ resource) => (resources.includes(resource) ? readAll(`/v1.0/resources/${resource}`, query) : { items: [] });
  const [queues, agents, actions] = await Promise.all([ofResource("queue"), ofResource("agent"), read("/v1.0/actions", { customer_id: me.customer.id })]);
  const hadCalls = calls.items.length > 0 || (await read("/v1.0/calls", { customer_id: me.customer.id, limit: "1" })).content.items.length > 0;
  return { topics, cursor: calls.cursor, actions: actions.content, content: { me, calls: calls.items, queues: queues.items, agents: agents.items, hadCalls } };
}

/** Return the content for `LookBack.begin` at a moment, and the cursor of that moment. @param {Me} me @param {number} at */
export async function readMoment(me, at) {
  const { items, cursor } = await readAll("/v1.0/states", { at: new Date(at).toISOString(), customer_id: me.customer.id });
  const ofResource = (/** @type {string} */ resource) => items.filter((item) => item.resource === resource);
  return { content: { me, calls: ofResource("call"), queues: ofResource("queue"), agents: ofResource("agent") }, cursor };
}

/** Return the figures of a moment; `null` if the token may not read them, or if they cannot be counted. @param {Me} me @param {number} at */
export async function readFigures(me, at) {
  if (!summaryTopics(me).length) return null;
  try {
    return (await read("/v1.0/summary", { at: new Date(at).toISOString(), customer_id: me.customer.id })).content;
  } catch (error) {
    if (error instanceof ApiError && !error.isUnauthorized) return null;
    throw error;
  }
}

/** Return the next page of the events after a cursor. @param {Me} me @param {string} after @param {string | null} next @returns {Promise<import("./look-back.js").EventPage>} */
export async function readEventsAfter(me, after, next) {
  const { content } = await read("/v1.0/events", { after, customer_id: me.customer.id, limit: "1000", ...(next ? { next } : {}) });
  return { events: content.items, cursor: content.cursor, next: content.next, readAt: parseTime(content.now) ?? 0 };
}

/** Return the topics of the figures that the token may receive. Figures are sent on subscribing. @param {Me} me */
export function summaryTopics(me) {
  if (!permittedTopics(me, ["queue"]).length) return [];
  const scope = `customer_id:${me.customer.id}`;
  // A grant of queues does not include the platform's own resource of this name.
  if (me.topics.includes(`${scope}:*:*`)) return [`${scope}:summary:*`];
  return ["all", ...me.queues.map(({ id }) => id)].map((name) => `${scope}:summary:${name}`);
}

/** Return the topics that a call's timeline needs beside those of the board. @param {Me} me */
export function timelineTopics(me) {
  return permittedTopics(me, TIMELINE_RESOURCES);
}

/** Return the stored events of a call, in the log's order. @param {Me} me @param {string} callId @returns {Promise<GatewayEvent[]>} */
export async function readTimeline(me, callId) {
  const customer = { customer_id: me.customer.id };
  const { items } = await readAll("/v1.0/events", { ...customer, resource: "call", resource_id: callId }, HISTORY_PAGES);
  if (!items.length) return [];
  const times = items.map(({ timestamp }) => parseTime(timestamp)).filter((at) => at !== null);
  /** @type {Record<string, string>} */
  const query = { ...customer, call_id: callId, from: new Date(Math.min(...times) - TIMELINE_BEFORE_MS).toISOString() };
  const hasEnded = items.some(({ event_type }) => event_type === "call.ended");
  if (hasEnded) query.to = new Date(Math.max(...times) + TIMELINE_AFTER_MS).toISOString();
  return (await readAll("/v1.0/events", query, HISTORY_PAGES)).items;
}
