/** Pauses before another attempt, which spread the load of many clients. */
export declare const FIRST_PAUSE_MS = 1000;
export declare const MAX_PAUSE_MS = 30000;
export declare const MAX_AWAY_PAUSE_MS = 5000;
/** Pauses between attempts. Random, so that a thousand clients do not reconnect at the same time. */
export declare class Backoff {
    #private;
    /** @param {() => number} random */
    constructor(random: () => number);
    /** @param {number} milliseconds */
    connectionLasted(milliseconds: number): void;
    /** Return 0 to 1 s; the upper limit doubles with each failure, up to `maxMs`. */
    pause(maxMs?: number): number;
    /** Return the pause after a close that asks the client to reconnect at once. @param {number} jitterMs */
    shortPause(jitterMs: number): number;
    /** Return the pause after the gateway rejected the connection as one too many: 15 to 30 s. */
    longPause(): number;
}
