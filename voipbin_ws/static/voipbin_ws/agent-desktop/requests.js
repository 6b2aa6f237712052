/** Asking the gateway to do something, and telling plainly how that went. */

import { ApiError, request } from "../shared/auth.js";

const PATIENCE_MS = 20_000;

/** Raises ApiError where the gateway refuses, and with status 0 where it does not answer. */
export async function act(method, path, body = {}) {
  try {
    return (await request(method, path, { body, signal: AbortSignal.timeout(PATIENCE_MS) })).content;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    const message = error.name === "TimeoutError" ? "The gateway took too long to answer. It may yet be done: look before you try again." : "The gateway does not answer. Look whether it was done before you try again.";
    throw new ApiError(0, { code: "NO_ANSWER", message });
  }
}

export const acceptCall = (id) => act("POST", `/v1.0/calls/${encodeURIComponent(id)}/accept`);
export const sendToVoicemail = (id) => act("POST", `/v1.0/calls/${encodeURIComponent(id)}/voicemail`);
export const hangUp = (id) => act("POST", `/v1.0/calls/${encodeURIComponent(id)}/hangup`);
export const transferCall = (id, to) => act("POST", `/v1.0/calls/${encodeURIComponent(id)}/transfer`, { to });
export const sendMessage = (to, text) => act("POST", "/v1.0/messages", { to, text });
export const chooseStatus = (agentId, status) => act("PUT", `/v1.0/agents/${encodeURIComponent(agentId)}/status`, { status });
