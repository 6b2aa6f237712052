/** Answers over HTTP: whose they are, and what the client does after them. */

/**
 * `code` is the gateway's, or INTERMEDIARY. `refusals` are error frames: the gateway accepts the client, but none of its topics.
 * @typedef {{ status: number, code: string, message: string, refusals?: any[] }} Answer
 */

export const IS_GATEWAY = "UPGRADE_REQUIRED"; // The gateway's answer to a GET with a good credential.
export const FINAL = new Map([
  ["FORBIDDEN_ORIGIN", "FORBIDDEN"],
  ["NOT_FOUND", "NOT_A_GATEWAY"],
  ["INVALID_REQUEST", "NOT_A_GATEWAY"], // The address names a host that the gateway does not serve.
]);
export const BLOCKED = "WebSockets are blocked between here and the gateway: it answers over HTTP, but the upgrade does not arrive";

/**
 * Read the answer to a plain GET. Only a JSON object with `code` and `message` is the gateway's own: all else comes from a
 * proxy, a firewall or a captive portal.
 * @param {Response} response @returns {Promise<Answer>}
 */
export async function readAnswer(response) {
  const { status } = response;
  const kind = (response.headers.get("Content-Type") ?? "").split(";")[0] || "no content type";
  const content = kind === "application/json" ? await response.json().catch(() => null) : null;
  if (typeof content?.code === "string" && typeof content.message === "string") {
    const errors = Array.isArray(content.errors) ? content.errors.filter((/** @type {any} */ each) => each?.topics) : [];
    const refusals = errors.map((/** @type {any} */ error) => ({ type: "error", action: "subscribe", ...error }));
    return { status, code: content.code, message: content.message, ...(refusals.length ? { refusals } : {}) };
  }
  const isRedirect = response.type === "opaqueredirect" || (status >= 300 && status < 400);
  const what = isRedirect ? "with a redirect, perhaps to a login page" : `${status} (${kind})`;
  return { status, code: "INTERMEDIARY", message: `An intermediary answered ${what}, not the gateway` };
}
