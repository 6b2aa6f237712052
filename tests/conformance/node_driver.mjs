/** Evaluates functions that come as JSON, one a line, with a harness of the client each asks for; answers likewise. */

import { createInterface } from "node:readline";

const PATIENCE_MS = 30_000; // Bounds a failure.
let harnesses = 0;

const commands = {
  async open({ WebSocket }) {
    if (WebSocket === "ws") Object.assign(globalThis, { WebSocket: (await import("ws")).WebSocket });
    globalThis.harness?.client?.close();
    globalThis.harness = await import(`./harness.js?${(harnesses += 1)}`);
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
