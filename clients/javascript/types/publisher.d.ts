/**
 * Publishes events in order, through outages and restarts of the gateway. Each is stored once.
 *
 *     const publisher = new Publisher({ url: "https://ws.example.com", token: key });
 *     const [receipt] = await publisher.publish({ event_type: "call.created", data: { id: "c1" } });
 */
import { PublishRefused, QueueFull } from "./publish-batches.js";
export { PublishRefused, QueueFull };
export type Call = import("./publish-batches.js").Call;
export type PublishAnswer = import("./publish-batches.js").PublishAnswer;
export type Receipt = import("./publish-batches.js").Receipt;
export type PublisherOptions = {
    /**
     * The gateway's address, without a path.
     */
    url: string | URL;
    /**
     * The credential, or a function
     * that returns it, as for EventClient.
     */
    token: string | ((why: {
        reason: "connect" | "refused";
    }) => Promise<string> | string);
    /**
     * The largest number of events that wait for the gateway; beyond it `publish` rejects with QueueFull.
     */
    maxWaiting?: number;
    fetch?: typeof globalThis.fetch;
    random?: () => number;
    sleep?: (milliseconds: number) => Promise<void>;
};
/**
 * @typedef {object} PublisherOptions
 * @property {string | URL} url The gateway's address, without a path.
 * @property {string | ((why: { reason: "connect" | "refused" }) => Promise<string> | string)} token The credential, or a function
 *   that returns it, as for EventClient.
 * @property {number} [maxWaiting] The largest number of events that wait for the gateway; beyond it `publish` rejects with QueueFull.
 * @property {typeof globalThis.fetch} [fetch]
 * @property {() => number} [random]
 * @property {(milliseconds: number) => Promise<void>} [sleep]
 */
export declare class Publisher {
    #private;
    /** Why the events in the queue are not stored yet; `null` while the gateway accepts them. @type {string | null} */
    trouble: string | null;
    /** @param {PublisherOptions} options */
    constructor({ url, token, ...options }: PublisherOptions);
    /** The number of events in the queue, which is in memory only. */
    get waiting(): number;
    /**
     * Publish events. The promise is fulfilled with their receipts once all of them are stored: all or none.
     *
     * An event has the fields of "Publishing" in the gateway's documentation. The promise is rejected with a QueueFull at once,
     * with a PublishRefused if the gateway refuses these events, and with a ConnectionFailed if it does not accept the credential
     * or the publisher is closed before.
     *
     * @param {...object} events
     * @returns {Promise<Receipt[]>}
     */
    publish(...events: object[]): Promise<Receipt[]>;
    /** Wait until the queue is empty. */
    flush(): Promise<void>;
    /** Close at once. Events that still wait are discarded, and their promises rejected: call `flush` before. */
    close(): void;
}
