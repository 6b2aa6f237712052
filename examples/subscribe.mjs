/** Prints each event of the topics on the command line as a line of JSON, and reconnects after any break. For Node. */

import { EventClient } from "../clients/javascript/event-client.js"; // Elsewhere: import it from "voipbin-ws-client".

// Node has its own WebSocket since version 22. For an older one: npm install ws
const WebSocket = globalThis.WebSocket ?? (await import("ws")).WebSocket;

const { VOIPBIN_WS_URL: url = "", VOIPBIN_TOKEN: token = "" } = process.env;
const client = new EventClient({ url, token, WebSocket });
client.on("state", ({ current, reason }) => {
  console.error(reason ? `${current}: ${reason}` : current);
  if (current === "failed") process.exit(1);
});
client.on("gap", ({ reason }) => console.error(`Events may be missing: ${reason}`));
await client.subscribe(process.argv.slice(2), (event) => console.log(JSON.stringify(event)));
