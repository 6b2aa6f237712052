/** Server-sent events (GET /v1.0/sse) with the interface of a WebSocket. */
export type Answer = import("./answer.js").Answer;
/** Return the address of the event stream beside a WebSocket; `null` if its path does not end with /ws. @param {URL} url */
export declare function streamAddress(url: URL): URL | null;
/**
 * An event stream. It opens with the first subscription, and again with each later one, and continues after the last message.
 * `onaccepted` is called each time the gateway has accepted the credential. The `answer` of a close is the gateway's refusal of
 * the stream, `null` if nothing answered, and `undefined` if a stream had opened.
 */
export declare class EventStream {
    #private;
    readyState: number;
    /** @type {() => void} */ onaccepted: () => void;
    /** @type {(message: { data: string }) => void} */ onmessage: (message: {
        data: string;
    }) => void;
    /** @type {(close: { code: number, reason: string, answer?: Answer | null }) => void} */ onclose: (close: {
        code: number;
        reason: string;
        answer?: Answer | null;
    }) => void;
    /**
     * @param {URL} url The address with the credential.
     * @param {typeof globalThis.fetch} fetch
     * @param {(action: () => Promise<Response>) => Promise<Response>} within Throws if there is no answer in time.
     */
    constructor(url: URL, fetch: typeof globalThis.fetch, within: (action: () => Promise<Response>) => Promise<Response>);
    /** Take a message; the stream opens again with it. @param {string} text */
    send(text: string): void;
    close(): void;
}
