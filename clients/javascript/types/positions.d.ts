/** Positions in the logs: where to resume, and which events are repetitions. */
/** Parse a cursor: the event numbers by the epoch of their log; `null` if it is not a cursor. @param {unknown} text */
export declare function readCursor(text: unknown): Map<string, bigint> | null;
/**
 * The position in each log from which the client resumes, and the events that were delivered beyond it.
 *
 * The cursor of an event names its own log alone; the cursor of an ack or a pong is complete. While topics are resumed in
 * several messages, the replay for a later message starts where the first one started. The positions stay until all messages
 * are acknowledged. Events delivered meanwhile are remembered, and not delivered again after another break.
 */
export declare class Positions {
    #private;
    /** @param {string | null} cursor */
    constructor(cursor: string | null);
    get cursor(): string | null;
    startConnection(): void;
    /** Return whether an event was delivered before. @param {Map<string, bigint>} positions */
    isRepetition(positions: Map<string, bigint>): boolean;
    /** @param {Map<string, bigint>} positions @param {boolean} isResuming */
    delivered(positions: Map<string, bigint>, isResuming: boolean): void;
    /** Take over a complete cursor. @param {Map<string, bigint>} positions */
    complete(positions: Map<string, bigint>): void;
    /** The gateway could not resume. If a log has gone backwards, its old numbers mean nothing. @param {Map<string, bigint>} positions */
    notRecovered(positions: Map<string, bigint>): void;
}
