/** The token of this tab, kept in sessionStorage, and requests with it. */

const KEY = "voipbin.token";

/** The gateway refused a request. `status` is HTTP's; `code` and the message are the gateway's. */
export class ApiError extends Error {
  /** @param {number} status @param {{ code?: string, message?: string }} content */
  constructor(status, { code = "", message = `The gateway answered ${status}` } = {}) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function token() {
  return sessionStorage.getItem(KEY);
}

export function signOut() {
  sessionStorage.removeItem(KEY);
}

/**
 * Send a request with the tab's token.
 *
 * Throws an ApiError if the gateway refuses, a TypeError if it does not answer, and a TimeoutError if `signal` says so.
 *
 * @param {string} method @param {string} path @param {{ body?: object, signal?: AbortSignal }} options
 * @returns {Promise<{ content: any, at: number | null }>} The body, and the gateway's clock in milliseconds.
 */
export async function request(method, path, { body, signal } = {}) {
  const response = await fetch(path, {
    method,
    headers: { ...(token() && { Authorization: `Bearer ${token()}` }), ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
    cache: "no-store",
    signal,
  });
  const content = await response.json().catch(() => {
    throw new ApiError(response.status);
  });
  if (!response.ok) throw new ApiError(response.status, content);
  const at = Date.parse(response.headers.get("Date") ?? "");
  return { content, at: Number.isNaN(at) ? null : at };
}

/** Sign in, and keep the token. Throws as `request` does. @param {string} username @param {string} password */
export async function signIn(username, password) {
  const { content } = await request("POST", "/auth/login", { body: { username, password } });
  sessionStorage.setItem(KEY, content.token);
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
