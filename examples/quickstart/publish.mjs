// Publish an event, and wait until it is stored: through outages and restarts, once.
import { Publisher } from "voipbin-ws-client";

const { VOIPBIN_API_URL: url = "", VOIPBIN_PUBLISH_KEY: token = "" } = process.env;
const publisher = new Publisher({ url, token });
const [receipt] = await publisher.publish({ event_type: "call.created", data: { id: "my-first-call", status: "ringing" } });
console.log(receipt);
