/** The package's public names. */

export * from "./event-client.js";
export * from "./publisher.js";

/** @typedef {import("./event-types.js").AgreedEvent} AgreedEvent */
