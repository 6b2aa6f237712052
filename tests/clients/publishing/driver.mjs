/** Publishes what the test writes to its standard input, and prints the result of each call. */

import { createInterface } from "node:readline";

import { Publisher, PublishRefused, QueueFull } from "../../../clients/javascript/index.js";

const print = (/** @type {object} */ line) => console.log(JSON.stringify(line));
const { value } = await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next();
const { url, tokens, calls, max_waiting } = JSON.parse(value ?? "");
const provide = (/** @type {{ reason: string }} */ { reason }) => {
  print({ reason });
  return tokens.shift();
};
const publisher = new Publisher({ url, token: tokens.length > 1 ? provide : tokens[0], maxWaiting: max_waiting, random: () => 0.01 });

/** @param {object[]} events @param {number} number */
async function call(events, number) {
  try {
    const receipts = await publisher.publish(...events);
    print({ call: number, ids: receipts.map(({ id }) => id) });
  } catch (error) {
    if (error instanceof PublishRefused) print({ call: number, error: "PublishRefused", status: error.status, errors: error.errors });
    else print({ call: number, error: error instanceof QueueFull ? "QueueFull" : error.code });
  }
}

await Promise.all(calls.map(call));
await publisher.flush();
publisher.close();
print({ waiting: publisher.waiting });
process.exit(0);
