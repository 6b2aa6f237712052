/** What the board begins with: the calls, queues, agents and last hour of a customer, read from the gateway. */

import { WINDOW_MS } from "./calls.js";
import { readAll } from "./session.js";

const HISTORY_PAGES = 5;

/** The topics, the cursor from where to follow them, and the content for Board.load; null for who may not hear the calls. */
export async function readBoard(me, now) {
  const topics = [`customer_id:${me.customer.id}:call:*`, `customer_id:${me.customer.id}:queue:*`, `customer_id:${me.customer.id}:agent:*`];
  const mine = topics.filter((topic) => me.topics.includes(topic) || me.topics.includes(`customer_id:${me.customer.id}:*:*`));
  if (!mine.includes(topics[0])) return null;
  // The calls first: their cursor is the oldest, and what the others know beyond it comes again and changes nothing.
  const calls = await readAll("/v1.0/calls", { active: "true" });
  const others = mine.slice(1).map((topic) => topic.split(":")[2]);
  const [queues, agents] = await Promise.all(
    ["queue", "agent"].map((resource) => (others.includes(resource) ? readAll(`/v1.0/resources/${resource}`, { active: "true" }) : { items: [] })),
  );
  const history = others.includes("queue") ? await lastHour(now) : [];
  return { topics: mine, cursor: calls.cursor, content: { me, calls: calls.items, queues: queues.items, agents: agents.items, history } };
}

async function lastHour(now) {
  const from = new Date(now - WINDOW_MS).toISOString();
  const kinds = ["queue.connected", "queue.left"];
  const pages = kinds.map((type) => readAll("/v1.0/events", { type, from, order: "desc" }, HISTORY_PAGES));
  return (await Promise.all(pages)).flatMap(({ items }) => items);
}
