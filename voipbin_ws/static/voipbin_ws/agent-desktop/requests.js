/** Requests that act on calls, messages and the agent's status. All throw an ApiError, with status 0 without an answer. */

import { ApiError, request } from "../shared/auth.js";

const TIMEOUT_MS = 20_000;

/** @param {string} method @param {string} path @param {object} body */
async function act(method, path, body = {}) {
  try {
    return (await request(method, path, { body, signal: AbortSignal.timeout(TIMEOUT_MS) })).content;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    const reason = error.name === "TimeoutError" ? "The gateway took too long to answer." : "The gateway does not answer.";
    throw new ApiError(0, { code: "NO_ANSWER", message: `${reason} Check whether it was done before you try again.` });
  }
}

/** @param {string} id @param {"accept" | "voicemail" | "hangup" | "transfer"} action @param {{ to?: { type: string, id: string } }} body */
export const actOnCall = (id, action, body = {}) => act("POST", `/v1.0/calls/${encodeURIComponent(id)}/${action}`, body);
/** @param {string} to @param {string} text */
export const sendMessage = (to, text) => act("POST", "/v1.0/messages", { to, text });
/** @param {string} agentId @param {string} status */
export const chooseStatus = (agentId, status) => act("PUT", `/v1.0/agents/${encodeURIComponent(agentId)}/status`, { status });
