/** The queue of a publisher, and what an answer means for each call in a batch. Sans-I/O; the rules of the Python client's `publishing`. */
export type Receipt = {
    id: string;
    cursor: string;
    topics: string[];
    replayed: boolean;
    warnings?: string[];
};
export type EventError = {
    index: number;
    field: string;
    message: string;
};
export type Call = {
    events: string[];
    resolve: (receipts: Receipt[]) => void;
    reject: (error: Error) => void;
};
export type PublishAnswer = {
    status: number;
    code: string | null;
    message: string;
    errors: EventError[];
    retryAfterMs: number;
};
/** The queue has no room: the gateway does not take as many events as are published. None of the call's events was queued. */
export declare class QueueFull extends Error {
    waiting: number;
    most: number;
    /** @param {number} waiting @param {number} most */
    constructor(waiting: number, most: number);
}
/** The gateway refuses the events of one call, and has stored none. `errors` has the index in the call, the field and the message of each mistake. */
export declare class PublishRefused extends Error {
    status: number;
    code: string;
    errors: EventError[];
    /** @param {PublishAnswer} answer @param {EventError[]} errors */
    constructor({ status, code, message }: PublishAnswer, errors: EventError[]);
}
/** Encode events, each with an idempotency key, so that an attempt can be repeated. @param {object[]} events @returns {string[]} */
export declare function encodeEvents(events: object[]): string[];
/** Read an answer that is not 201. @param {number} status @param {string | null} retryAfter @param {any} content @returns {PublishAnswer} */
export declare function readPublishAnswer(status: number, retryAfter: string | null, content: any): PublishAnswer;
/**
 * What follows from an answer: `refuse` the calls that are to blame, `split` the batch because that is not known, `renew` the
 * credential, or `retry`.
 * @param {PublishAnswer} answer @param {Call[]} batch @returns {"refuse" | "split" | "renew" | "retry"}
 */
export declare function decide(answer: PublishAnswer, batch: Call[]): "refuse" | "split" | "renew" | "retry";
/** The error of each call; `null` if the call is not to blame. @param {PublishAnswer} answer @param {Call[]} batch */
export declare function refusals(answer: PublishAnswer, batch: Call[]): (PublishRefused | null)[];
/** The calls that are not stored yet. */
export declare class Batches {
    #private;
    waiting: number;
    /** @param {number} most The largest number of events. */
    constructor(most: number);
    /** Throws QueueFull if there is no room. @param {Call} call */
    add(call: Call): void;
    /** The calls of the next batch, which stay in the queue. */
    next(): Call[];
    /** Remove calls that are stored or refused. @param {Call[]} calls */
    remove(calls: Call[]): void;
    /** Put at most half as many calls as this batch has into the next one. @param {Call[]} batch */
    split(batch: Call[]): void;
    /** End all calls. @param {Error} error */
    end(error?: Error): void;
}
