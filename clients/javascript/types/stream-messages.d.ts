/**
 * The conversation of a WebSocket on an event stream: what each message asks for, and which one a frame answers. Sans-I/O.
 *
 * An event stream has its topics and its start in its address, and the client cannot send. So a subscription opens the stream
 * again, with all topics, after the last message; the gateway resumes there as after any break.
 */
export declare const COMMENT = "[]";
/** Splits the text of one response into messages (WHATWG HTML, section 9.2.6). */
export declare class StreamParser {
    #private;
    /** Return the messages that this text completes. @param {string} text @returns {{ data: string, id: string | null }[]} */
    feed(text: string): {
        data: string;
        id: string | null;
    }[];
}
/** A stream that was opened again does not continue where the last one ended. */
export declare class NotResumed extends Error {
}
/** The topics of a stream, and the messages that wait for their answer. */
export declare class StreamMessages {
    #private;
    /** @type {string | null} */ position: string | null;
    /** The parameters of the stream's address; `null` without topics, when no stream is needed. */
    get query(): [string, string][] | null;
    /** Take a message of the client; return the answers that need no gateway. Afterwards the stream opens again. @param {any} message @returns {any[]} */
    send(message: any): any[];
    /** Return what a frame of the stream means to the client: an ack or error once per request that it answers. @param {any} frame @returns {any[]} */
    receive(frame: any): any[];
}
