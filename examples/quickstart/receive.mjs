// Print each event of the topics, in order and once; events that may be missing are reported as a gap.
import { EventClient } from "voipbin-ws-client";

const { VOIPBIN_WS_URL: url = "", VOIPBIN_TOKEN: token = "", VOIPBIN_CUSTOMER_ID: customer } = process.env;
const topics = [`customer_id:${customer}:call:*`];

const client = new EventClient({ url, token });
client.on("gap", (gap) => console.log(gap));
client.on("state", ({ current, reason }) => console.error(current, reason ?? ""));
await client.subscribe(topics, ({ event_type, data }) => console.log(event_type, JSON.stringify(data)));
