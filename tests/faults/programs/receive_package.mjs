/** The JavaScript client of the package; prints acks and events as lines of JSON. */

import { EventClient } from "../../../clients/javascript/index.js";

const { WS_URL: url = "", TOKEN: token = "", TOPIC: topic = "", TRANSPORT = "" } = process.env;
const transport = /** @type {"websocket" | "sse"} */ (TRANSPORT);
const print = (/** @type {object} */ line) => console.log(JSON.stringify(line));

const client = new EventClient({ url, token, transport });
// Not when `subscribe` is fulfilled: events may be delivered between the ack and that.
client.on("frame", ({ direction, frame }) => {
  if (direction === "received" && frame.type === "ack") print(frame);
});
await client.subscribe(topic, print);
