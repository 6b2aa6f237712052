/** Names, codes, types and errors of the protocol that the client acts on. */

/** @typedef {{ event_type: string, topic: string, timestamp: string, id: string, cursor: string, data: any, active?: boolean, agent_ids?: string[], phase?: any }} GatewayEvent */
/** @typedef {(event: GatewayEvent) => unknown} EventHandler */
/** @typedef {{ topics: string[], code: string, message: string, retry: boolean | null, retryAfter?: number }} Refusal `retryAfter` is in seconds. */
/** @typedef {{ topics: string[], reason: string, cursor: string | null }} Gap */
/** @typedef {{ previous: string, current: string, retryInMs: number | null, reason: string | null, code: string | null, recovered: boolean | null, transport: string | null }} StateChange */
/** @typedef {{ direction: "sent" | "received", frame: any }} FrameNotice */
/** @typedef {{ state: StateChange, gap: Gap, refusal: Refusal, error: Error, frame: FrameNotice }} Notifications */
/** @typedef {{ now(): number, setTimeout(callback: () => void, milliseconds: number): any, clearTimeout(id: any): void }} Clock */


export const State = Object.freeze({
  IDLE: "idle", // Not connected, before `connect` and after `close`.
  CONNECTING: "connecting", // For the first time.
  CONNECTED: "connected", // And the gateway has answered for every topic: the granted ones are live.
  RECONNECTING: "reconnecting", // Waiting for `retryInMs`, then connecting.
  SUSPENDED: "suspended", // The same, while the browser reports that it has no network.
  FAILED: "failed", // A retry is useless without a change from outside, followed by `connect`.
});

export const CloseCode = Object.freeze({
  RESTARTING: 4012,
  PROTOCOL_ERROR: 4400,
  TOKEN_EXPIRED: 4401,
  REVOKED: 4403,
  TOO_SLOW: 4408,
  TOO_MANY: 4429,
});

/** The gateway refused topics. `code` and the message are those of the first refusal; `topics` are all refused topics. */
export class SubscribeError extends Error {
  /** @param {Refusal[]} refusals @param {import("./event-client.js").Subscription | null} subscription Holds the granted topics; `null` if there are none. */
  constructor(refusals, subscription) {
    super(refusals[0].message);
    this.name = "SubscribeError";
    this.code = refusals[0].code;
    this.topics = refusals.flatMap(({ topics }) => topics);
    this.retry = refusals[0].retry ?? this.code === "RATE_LIMITED";
    this.subscription = subscription;
  }
}

/** The client has stopped. `code`: UNAUTHORIZED, FORBIDDEN, PROTOCOL_ERROR, NOT_A_GATEWAY, LOST or CLOSED. Only the gateway's own answers stop it. */
export class ConnectionFailed extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = "ConnectionFailed";
    this.code = code;
  }
}

/** Return whether `pattern` (with wildcards, or a prefix) covers the concrete `topic`. @param {string} pattern @param {string} topic */
export function covers(pattern, topic) {
  const parts = topic.split(":");
  const wanted = pattern.split(":");
  return wanted.length <= parts.length && wanted.every((part, index) => part === "*" || part === parts[index]);
}

export const MAX_QUOTED = 200; // Characters of a bad frame in an error's message.

/** @param {unknown} value */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {unknown} value @returns {string[]} */
export function strings(value) {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}
