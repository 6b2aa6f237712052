/** Which transport the next connection uses. Sans-I/O; the same rules as `transports/choice.py` of the Python client. */
export declare const Transport: Readonly<{
    AUTO: "auto";
    WEBSOCKET: "websocket";
    SSE: "sse";
}>;
export declare const SOCKET_RETRY_MS = 600000;
/** The transport of the next connection, in `current`. Only with `auto` it changes. */
export declare class TransportChoice {
    #private;
    isAutomatic: boolean;
    /** @type {string} */ current: string;
    /** @param {string} wanted */
    constructor(wanted: string);
    /** Whether to find out if a WebSocket works before another event stream is opened. */
    get triesSocketFirst(): boolean;
    /** A frame arrived. */
    worked(): void;
    /**
     * An attempt ended without a frame. `wasOpen`: the transport opened; `isBlocked`: the gateway answers over HTTP, but the
     * upgrade does not arrive.
     */
    failed({ wasOpen, isBlocked }: {
        isBlocked?: boolean | undefined;
        wasOpen?: boolean | undefined;
    }): void;
    /** A WebSocket was opened to find out if a frame arrives. @param {boolean} works */
    socketTried(works: boolean): void;
    /** The gateway has no event streams. Return whether WebSockets remain. */
    hasNoStream(): boolean;
}
