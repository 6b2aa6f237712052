/** The client's side of the protocol: messages to send, and the meaning of frames. Sans-I/O. */
import { Positions } from "./positions.js";
export type Gap = import("./protocol.js").Gap;
export type Refusal = import("./protocol.js").Refusal;
export type PendingCall = {
    topics: Set<string>;
    done: (refusals: Refusal[]) => void;
    refusals: Refusal[];
};
export type Action = "subscribe" | "unsubscribe";
export type RequestDetails = {
    isOpening?: boolean;
    resumes?: boolean;
    since?: string | null;
    reason?: string;
    filter?: object | null;
};
export type Request = {
    action: Action;
    waiting: Set<string>;
    tries: number;
    isAcked?: boolean;
} & RequestDetails;
/** @typedef {"subscribe" | "unsubscribe"} Action */
/** @typedef {{ isOpening?: boolean, resumes?: boolean, since?: string | null, reason?: string, filter?: object | null }} RequestDetails */
/** @typedef {{ action: Action, waiting: Set<string>, tries: number, isAcked?: boolean } & RequestDetails} Request */
/** The client's side of the protocol, across connections. Sans-I/O: it has no socket and no clock, and acts through `out`. */
export declare class Conversation {
    #private;
    resumesFirst: boolean;
    positions: Positions;
    /** @type {Refusal | null} */ notice: Refusal | null;
    /** @type {boolean | null} */ recovered: boolean | null;
    /**
     * @param {string | null} cursor
     * @param {{ [name in "event" | "gap" | "refusal" | "error"]: (detail: any) => void } & { send(message: object, afterMs?: number): void }} out
     */
    constructor(cursor: string | null, out: { [name in "event" | "gap" | "refusal" | "error"]: (detail: any) => void; } & {
        send(message: object, afterMs?: number): void;
    });
    get isReady(): boolean;
    opened(): void;
    lost(): void;
    /**
     * Subscribe, or replace the filter of topics, and return a function that forgets `done`.
     *
     * @param {string[]} topics
     * @param {PendingCall["done"]} done
     * @param {object | null} filter
     */
    subscribe(topics: string[], done: PendingCall["done"], filter?: object | null): () => undefined;
    /** @param {string[]} topics @param {() => void} done */
    unsubscribe(topics: string[], done: () => void): void;
    /** Process one frame. A frame of an unknown kind is ignored: a newer gateway may send more kinds. @param {any} frame */
    receive(frame: any): void;
}
