/** Requests to the gateway with the browser's token, each with a time limit. */

import { exactTime } from "./time.js";
import { keepToken, replaceToken, token } from "./token.js";
import { gettext } from "./gettext.js";
import { refusalText } from "./refusals.js";

const TIMEOUT_MS = 20_000;
const HEADER_STEP_MS = 1000; // The header Date counts whole seconds.

/** @typedef {{ at: number, uncertainty: number, receivedAt: number }} ClockReading The gateway's clock at `receivedAt` of `performance.now()`. */

/** A request without success. `status` is HTTP's, 0 without an answer; `code` is the gateway's, "" if the answer is not the gateway's. */
export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** Whether the gateway itself rejected the token. A proxy's or firewall's answer with the same status ends no session. */
  get isUnauthorized() {
    return this.status === 401 && this.code !== "";
  }

  /** Whether the gateway itself refused, so that the same request is refused again. */
  get isForbidden() {
    return this.status === 403 && this.code !== "";
  }
}

/** @param {any} error What `fetch` threw. */
function noAnswer(error) {
  const reason = error.name === "TimeoutError" ? gettext("The gateway did not answer within {seconds} seconds.", { seconds: TIMEOUT_MS / 1000 }) : gettext("The gateway does not answer.");
  return new ApiError(0, "NO_ANSWER", reason);
}

/** Read the body of an answer; `null` if it is no JSON object. @param {Response} response @returns {Promise<any>} */
async function contentOf(response) {
  try {
    const content = JSON.parse(await response.text());
    return typeof content === "object" && !Array.isArray(content) ? content : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** @param {Response} response @param {any} content @param {number} sentAt @param {number} receivedAt @returns {ClockReading | null} */
function clockOf(response, content, sentAt, receivedAt) {
  const half = (receivedAt - sentAt) / 2;
  const exact = exactTime(content.now);
  if (exact !== null) return { at: exact + half, uncertainty: half, receivedAt };
  const rounded = Date.parse(response.headers.get("Date") ?? "");
  if (Number.isNaN(rounded)) return null;
  return { at: rounded + HEADER_STEP_MS / 2 + half, uncertainty: HEADER_STEP_MS / 2 + half, receivedAt };
}

/**
 * Send a request with the token.
 *
 * Throws an ApiError if the gateway refuses, if it does not answer in time, and if something else answers in its place.
 *
 * @param {string} method @param {string} path @param {object} [body] @param {boolean} [outlivesPage] Whether it goes on after the page is left.
 * @returns {Promise<{ content: any, clock: ClockReading | null }>}
 */
export async function request(method, path, body, outlivesPage = false) {
  const sentAt = performance.now();
  let response, receivedAt, content;
  try {
    response = await fetch(path, {
      method,
      headers: { ...(token() && { Authorization: `Bearer ${token()}` }), ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
      cache: "no-store",
      keepalive: outlivesPage,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    receivedAt = performance.now();
    content = await contentOf(response);
  } catch (error) {
    throw noAnswer(error);
  }
  const { status, ok } = response;
  if (!ok && typeof content?.code === "string" && content.code) throw new ApiError(status, content.code, refusalText(String(content.message ?? gettext("The gateway answered {status}.", { status }))));
  if (!ok || (content === null && status !== 204)) {
    throw new ApiError(status, "", gettext("The answer (status {status}) is not the gateway’s. A proxy, a firewall or a login page may be in between.", { status }));
  }
  return { content, clock: clockOf(response, content ?? {}, sentAt, receivedAt) };
}

/** Sign in, and keep the token. Throws as `request` does. @param {string} username @param {string} password @param {boolean} staysSignedIn */
export async function signIn(username, password, staysSignedIn) {
  const { content } = await request("POST", "/auth/login", { username, password });
  keepToken(content.token, staysSignedIn);
}

/** End this token at the gateway, or all tokens of its agent. Throws as `request` does. @param {boolean} everywhere */
export async function endToken(everywhere) {
  await request("POST", "/auth/logout", { everywhere }, true);
}

/** Change the password, and keep the new token in place of the old one, which ends. Throws as `request` does. @param {string} present @param {string} wanted */
export async function changePassword(present, wanted) {
  const { content } = await request("POST", "/auth/password", { password: present, new_password: wanted });
  replaceToken(content.token);
}

/** Get a resource. Throws as `request` does. @param {string} path @param {Record<string, string>} parameters */
export async function read(path, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  return request("GET", query ? `${path}?${query}` : path);
}

/**
 * Get the items of all pages, or of the first `maxPages`.
 *
 * @param {string} path @param {Record<string, string>} parameters
 * @returns {Promise<{ items: any[], cursor: string, isWhole: boolean }>} `cursor` is the log's position at the first page;
 *   `isWhole` is false if there are more pages.
 */
export async function readAll(path, parameters, maxPages = Infinity) {
  const items = [];
  let cursor = null;
  let next = null;
  for (let page = 0; page < maxPages; page += 1) {
    const { content } = await read(path, { ...parameters, limit: "1000", ...(next ? { next } : {}) });
    cursor ??= content.cursor;
    items.push(...content.items);
    next = content.next;
    if (!next) break;
  }
  return { items, cursor, isWhole: !next };
}
