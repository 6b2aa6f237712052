/** Publishes with the JavaScript package until its standard input ends; prints the id of each stored event. */

import { Publisher } from "../../../clients/javascript/index.js";

const { HTTP_URL: url = "", TOKEN: token = "", PER_SECOND } = process.env;
const publisher = new Publisher({ url, token });
let number = 0;

const timer = setInterval(async () => {
  const [{ id }] = await publisher.publish({ event_type: "call.status", data: { id: `js-${(number += 1) % 20}` } });
  console.log(JSON.stringify(id));
}, 1000 / Number(PER_SECOND));

process.stdin.resume();
process.stdin.on("end", async () => {
  clearInterval(timer);
  await publisher.flush();
  setImmediate(() => process.exit(0));
});
