/**
 * Client of a voipbin-ws gateway: one connection that reconnects, resumes and delivers each event once.
 *
 *     const client = new EventClient({ url: "wss://ws.example.com/v1.0/ws", token: async ({ reason }) => "…" });
 *     client.on("state", ({ previous, current, retryInMs, reason }) => …);
 *     client.on("gap", ({ topics, reason }) => …); // Events may be missing: load the current state again.
 *     const subscription = await client.subscribe(["customer_id:…:call:*"], (event) => …);
 *
 * For browsers and Node, without dependencies. Subscriptions of one client may overlap, but not across scopes: a connection
 * receives an event once, under one of its topics. To receive events of one resource by an agent's and by a customer's
 * topics, use two clients.
 *
 * The Python client in clients/python/ behaves alike: tests/conformance/ verifies both. Long because connecting, the attempts
 * before it and the handlers change the same connection.
 */
import { CloseCode, ConnectionFailed, covers, State, SubscribeError } from "./protocol.js";
import { Transport } from "./transport-choice.js";
export { CloseCode, ConnectionFailed, covers, State, SubscribeError, Transport };
export type Answer = import("./answer.js").Answer;
export type Clock = import("./protocol.js").Clock;
export type EventHandler = import("./protocol.js").EventHandler;
export type Gap = import("./protocol.js").Gap;
export type GatewayEvent = import("./protocol.js").GatewayEvent;
export type Notifications = import("./protocol.js").Notifications;
export type Refusal = import("./protocol.js").Refusal;
export type StateChange = import("./protocol.js").StateChange;
export type Options = {
    /**
     * The gateway's WebSocket, `ws:` or `wss:`; in a browser also a path.
     */
    url: string | URL;
    /**
     * The credential,
     * or a function that returns it. The function is called again only after the gateway rejected the last credential. An error
     * that it throws is temporary: the client retries.
     */
    token: string | ((why: {
        reason: "connect" | "expired" | "refused";
    }) => Promise<string> | string);
    /**
     * Receive the events after this position, such as the cursor of a loaded state. Without a
     * cursor the client receives events from now on.
     */
    cursor?: string | null;
    /**
     * `auto` uses a WebSocket, and server-sent events only where WebSockets are
     * blocked; the others use only that.
     */
    transport?: "auto" | "websocket" | "sse";
    /**
     * Whether the gateway may send several events in one frame.
     */
    batch?: boolean;
    /**
     * Time without a frame after which the client sends a ping.
     */
    pingIntervalMs?: number;
    pingTimeoutMs?: number;
    /**
     * Time for a handshake, and for the answer to a plain GET of the address.
     */
    connectTimeoutMs?: number;
    /**
     * Time for the token function.
     */
    tokenTimeoutMs?: number;
    /**
     * Replaces the platform's WebSocket, such as the one of `ws`.
     */
    WebSocket?: any;
    fetch?: typeof globalThis.fetch;
    random?: () => number;
    clock?: Clock;
};
/** Topics whose events one handler receives. Made by `EventClient.subscribe`. */
export declare class Subscription {
    topics: Set<string>;
    onEvent: import("./protocol.js").EventHandler;
    /** End the subscription. The promise is fulfilled when the gateway has confirmed. */
    unsubscribe: () => Promise<void>;
    isEnded: boolean;
    isGranted: boolean;
    /** @type {Set<(error: Error | null) => void>} */ onEnd: Set<(error: Error | null) => void>;
    /** @param {string[]} topics @param {EventHandler} onEvent @param {() => Promise<void>} unsubscribe */
    constructor(topics: string[], onEvent: EventHandler, unsubscribe: () => Promise<void>);
}
export declare class EventClient {
    #private;
    /** @param {Options} options */
    constructor({ url, token, ...options }: Options);
    get state(): string;
    /** The transport of this connection, or of the next one: `websocket` or `sse`. */
    get transport(): string;
    /** The position up to which all events are delivered; a later client can resume from it. `null` before the first. */
    get cursor(): string | null;
    /** When the last frame of any kind arrived, in milliseconds of `Date.now()`; `null` before the first. */
    get lastReceivedAt(): number | null;
    /**
     * Add a handler, and return a function that removes it.
     *
     * `gap`: events of these topics may be missing, so load the current state again. `refusal`: the gateway withdrew topics.
     * `error`: an error that stopped nothing, such as one thrown by a handler. `frame`: any frame, sent or received, for tools.
     *
     * @template {keyof Notifications} Name
     * @param {Name} name
     * @param {(detail: Notifications[Name]) => unknown} handler
     */
    on<Name extends keyof Notifications>(name: Name, handler: (detail: Notifications[Name]) => unknown): () => undefined;
    /** Connect; `subscribe` does the same. In the state `failed`, try again and resume. */
    connect(): void;
    /** Close the connection, and end all subscriptions. */
    close(): void;
    /**
     * Subscribe to topics. The promise is fulfilled with a subscription when the gateway has acknowledged all of them.
     *
     * `signal` ends the subscription. The promise is rejected with a SubscribeError if the gateway refuses topics, and with a
     * ConnectionFailed if the client fails or is closed before the answer.
     *
     * Of topics with a `filter`, only events whose tags match are received, and with `left: true` the first one with which a resource
     * stops matching. Subscribing to a topic again replaces its filter.
     *
     * @param {string | string[]} topics
     * @param {EventHandler} onEvent
     * @param {{ signal?: AbortSignal, filter?: object }} options
     * @returns {Promise<Subscription>}
     */
    subscribe(topics: string | string[], onEvent: EventHandler, { signal, filter }?: {
        signal?: AbortSignal;
        filter?: object;
    }): Promise<Subscription>;
    /**
     * Subscribe, and iterate over the events: `for await (const event of client.events(topics)) …`.
     *
     * Leaving the loop unsubscribes. `signal` and `close` end the loop. It throws a ConnectionFailed if the client fails, and a
     * SubscribeError if the gateway refuses or withdraws all topics.
     *
     * @param {string | string[]} topics
     * @param {{ signal?: AbortSignal, filter?: object }} options
     */
    events(topics: string | string[], options?: {
        signal?: AbortSignal;
        filter?: object;
    }): AsyncGenerator<import("./protocol.js").GatewayEvent, void, unknown>;
    /** Send a ping. The gateway answers in order: when the promise is fulfilled, all earlier frames have been delivered. */
    ping(): Promise<any>;
}
