/** The package's public names. */
export * from "./event-client.js";
export * from "./publisher.js";
export type AgreedEvent = import("./event-types.js").AgreedEvent;
/** @typedef {import("./event-types.js").AgreedEvent} AgreedEvent */
