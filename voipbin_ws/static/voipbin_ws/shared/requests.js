/** Requests that act on calls, messages and the agent's status. All throw an ApiError. */

import { request } from "./auth.js";
import { gettext } from "./gettext.js";

/** @param {string} method @param {string} path @param {object} body */
async function act(method, path, body = {}) {
  try {
    return (await request(method, path, body)).content;
  } catch (error) {
    if (error.status === 0) error.message += ` ${gettext("Check whether it was done before you try again.")}`;
    throw error;
  }
}

/**
 * @param {string} id @param {"accept" | "voicemail" | "hangup" | "transfer"} action @param {{ to?: { type: string, id: string } }} body
 * @param {string} [customerId] The customer's, if it may be another one's than the token's.
 */
export function actOnCall(id, action, body = {}, customerId = "") {
  const query = customerId && `?${new URLSearchParams({ customer_id: customerId })}`;
  return act("POST", `/v1.0/calls/${encodeURIComponent(id)}/${action}${query}`, body);
}
/** @param {{ to: string } | { reply_to: string }} recipient @param {string} text */
export const sendMessage = (recipient, text) => act("POST", "/v1.0/messages", { ...recipient, text });
/** @param {string} id @param {{ disposition?: string | null, note?: string }} noted */
export const noteCall = (id, noted) => act("POST", `/v1.0/calls/${encodeURIComponent(id)}/note`, noted);
/** @param {string} agentId @param {string} status @param {{ away_reason?: string }} details */
export const chooseStatus = (agentId, status, details = {}) => act("PUT", `/v1.0/agents/${encodeURIComponent(agentId)}/status`, { status, ...details });
/** @param {string} agentId */
export const signOutAgent = (agentId) => act("POST", `/v1.0/agents/${encodeURIComponent(agentId)}/sign-out`);
