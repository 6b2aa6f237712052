/** Evaluates functions on a fresh harness of the client. Commands and answers are JSON, one a line. */

import { createInterface } from "node:readline";

const PATIENCE_MS = 30_000; // Bounds a failure.
const scope = /** @type {any} */ (globalThis);
let harnesses = 0;

/** @type {Record<string, (details: any) => any>} */
const commands = {
  async open({ WebSocket }) {
    if (WebSocket === "ws") scope.WebSocket = (await import("ws")).WebSocket;
    scope.harness?.client?.close();
    scope.harness = await import(`./harness.js?${(harnesses += 1)}`);
  },
  evaluate: ({ expression, arg }) => (0, eval)(expression)(arg),
  async wait({ expression, arg }) {
    const until = performance.now() + PATIENCE_MS;
    while (!(await commands.evaluate({ expression, arg }))) {
      if (performance.now() > until) throw new Error(`still waiting for ${expression}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...details } = JSON.parse(line);
  const answer = await Promise.resolve(commands[command](details)).then(
    (value) => ({ value: value ?? null }),
    (error) => ({ error: String(error) }),
  );
  console.log(JSON.stringify(answer));
}
