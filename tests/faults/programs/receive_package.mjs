/** The JavaScript client of the package; prints acks, gaps and events as lines of JSON. */

import { EventClient } from "../../../clients/javascript/index.js";

const { WS_URL: url = "", TOKEN: token = "", TOPIC: topic = "", TRANSPORT = "" } = process.env;
const transport = /** @type {"websocket" | "sse"} */ (TRANSPORT);
const print = (/** @type {object} */ line) => console.log(JSON.stringify(line));
const acknowledge = (/** @type {object} */ details) => print({ type: "ack", cursor: client.cursor, topics: [topic], ...details });

const client = new EventClient({ url, token, transport });
client.on("gap", () => acknowledge({ recovered: false }));
await client.subscribe(topic, print);
acknowledge({});
client.on("state", ({ current }) => current === "connected" && acknowledge({}));
