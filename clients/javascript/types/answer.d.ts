/** Answers over HTTP: whose they are, and what the client does after them. */
export type Answer = {
    status: number;
    code: string;
    message: string;
    refusals?: any[];
};
/**
 * `code` is the gateway's, or INTERMEDIARY. `refusals` are error frames: the gateway accepts the client, but none of its topics.
 * @typedef {{ status: number, code: string, message: string, refusals?: any[] }} Answer
 */
export declare const IS_GATEWAY = "UPGRADE_REQUIRED";
export declare const FINAL: Map<string, string>;
export declare const BLOCKED = "WebSockets are blocked between here and the gateway: it answers over HTTP, but the upgrade does not arrive";
/**
 * Read the answer to a plain GET. Only a JSON object with `code` and `message` is the gateway's own: all else comes from a
 * proxy, a firewall or a captive portal.
 * @param {Response} response @returns {Promise<Answer>}
 */
export declare function readAnswer(response: Response): Promise<Answer>;
