/** Names, codes, types and errors of the protocol that the client acts on. */
export type GatewayEvent = {
    event_type: string;
    topic: string;
    timestamp: string;
    id: string;
    cursor: string;
    data: any;
    active?: boolean;
    agent_ids?: string[];
    phase?: any;
};
export type EventHandler = (event: GatewayEvent) => unknown;
export type Refusal = {
    topics: string[];
    code: string;
    message: string;
    retry: boolean | null;
    retryAfter?: number;
};
export type Gap = {
    topics: string[];
    reason: string;
    cursor: string | null;
};
export type StateChange = {
    previous: string;
    current: string;
    retryInMs: number | null;
    reason: string | null;
    code: string | null;
    recovered: boolean | null;
    transport: string | null;
};
export type FrameNotice = {
    direction: "sent" | "received";
    frame: any;
};
export type Notifications = {
    state: StateChange;
    gap: Gap;
    refusal: Refusal;
    error: Error;
    frame: FrameNotice;
};
export type Clock = {
    now(): number;
    setTimeout(callback: () => void, milliseconds: number): any;
    clearTimeout(id: any): void;
};
/** @typedef {{ event_type: string, topic: string, timestamp: string, id: string, cursor: string, data: any, active?: boolean, agent_ids?: string[], phase?: any }} GatewayEvent */
/** @typedef {(event: GatewayEvent) => unknown} EventHandler */
/** @typedef {{ topics: string[], code: string, message: string, retry: boolean | null, retryAfter?: number }} Refusal `retryAfter` is in seconds. */
/** @typedef {{ topics: string[], reason: string, cursor: string | null }} Gap */
/** @typedef {{ previous: string, current: string, retryInMs: number | null, reason: string | null, code: string | null, recovered: boolean | null, transport: string | null }} StateChange */
/** @typedef {{ direction: "sent" | "received", frame: any }} FrameNotice */
/** @typedef {{ state: StateChange, gap: Gap, refusal: Refusal, error: Error, frame: FrameNotice }} Notifications */
/** @typedef {{ now(): number, setTimeout(callback: () => void, milliseconds: number): any, clearTimeout(id: any): void }} Clock */
export declare const State: Readonly<{
    IDLE: "idle";
    CONNECTING: "connecting";
    CONNECTED: "connected";
    RECONNECTING: "reconnecting";
    SUSPENDED: "suspended";
    FAILED: "failed";
}>;
export declare const CloseCode: Readonly<{
    RESTARTING: 4012;
    PROTOCOL_ERROR: 4400;
    TOKEN_EXPIRED: 4401;
    REVOKED: 4403;
    TOO_SLOW: 4408;
    TOO_MANY: 4429;
}>;
/** The gateway refused topics. `code` and the message are those of the first refusal; `topics` are all refused topics. */
export declare class SubscribeError extends Error {
    code: string;
    topics: string[];
    retry: boolean;
    subscription: import("./event-client.js").Subscription | null;
    /** @param {Refusal[]} refusals @param {import("./event-client.js").Subscription | null} subscription Holds the granted topics; `null` if there are none. */
    constructor(refusals: Refusal[], subscription: import("./event-client.js").Subscription | null);
}
/** The client has stopped. `code`: UNAUTHORIZED, FORBIDDEN, PROTOCOL_ERROR, NOT_A_GATEWAY, LOST or CLOSED. Only the gateway's own answers stop it. */
export declare class ConnectionFailed extends Error {
    code: string;
    /** @param {string} code @param {string} message */
    constructor(code: string, message: string);
}
/** Return whether `pattern` (with wildcards, or a prefix) covers the concrete `topic`. @param {string} pattern @param {string} topic */
export declare function covers(pattern: string, topic: string): boolean;
export declare const MAX_QUOTED = 200;
/** @param {unknown} value */
export declare function isObject(value: unknown): boolean;
/** @param {unknown} value @returns {string[]} */
export declare function strings(value: unknown): string[];
