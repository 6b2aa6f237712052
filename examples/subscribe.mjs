/** Print every event of the topics on the command line as JSON, one a line, and come back after any break: for Node. */

import { EventClient } from "../clients/javascript/event-client.js"; // Take the file along; it needs nothing.

// Node has a WebSocket of its own from version 22 on; for an older one: npm install ws
const WebSocket = globalThis.WebSocket ?? (await import("ws")).WebSocket;

const client = new EventClient({ url: process.env.VOIPBIN_WS_URL, token: process.env.VOIPBIN_TOKEN, WebSocket });
client.on("state", ({ current, reason }) => {
  console.error(reason ? `${current}: ${reason}` : current);
  if (current === "failed") process.exit(1);
});
client.on("gap", ({ reason }) => console.error(`Events are missing: ${reason}`));
await client.subscribe(process.argv.slice(2), (event) => console.log(JSON.stringify(event)));
