/** Who is signed in on this tab: the token in sessionStorage, and requests with it. */

const KEY = "voipbin.token";

/** The gateway answered with an error; `status` is HTTP's, `code` and the message are the gateway's. */
export class ApiError extends Error {
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

/** Raises ApiError where the gateway refuses, TypeError where it does not answer, a TimeoutError when `signal` says so. `at` is
 * the gateway's clock, in milliseconds, as near as HTTP tells it. */
export async function request(method, path, { body = undefined, signal = undefined } = {}) {
  const answer = await fetch(path, {
    method,
    headers: { ...(token() && { Authorization: `Bearer ${token()}` }), ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
    cache: "no-store",
    signal,
  });
  const content = await answer.json().catch(() => {
    throw new ApiError(answer.status);
  });
  if (!answer.ok) throw new ApiError(answer.status, content);
  const at = Date.parse(answer.headers.get("Date") ?? "");
  return { content, at: Number.isNaN(at) ? null : at };
}

export async function signIn(username, password) {
  const { content } = await request("POST", "/auth/login", { body: { username, password } });
  sessionStorage.setItem(KEY, content.token);
}

export async function read(path, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  return request("GET", query ? `${path}?${query}` : path);
}

/** All items of all pages of a reading address, `mostPages` at most; `cursor` is where its log stood at the first, `isWhole`
 * whether there were no more pages. */
export async function readAll(path, parameters, mostPages = Infinity) {
  const items = [];
  let cursor = null;
  let next = null;
  for (let page = 0; page < mostPages; page += 1) {
    const { content } = await read(path, { ...parameters, limit: "1000", ...(next ? { next } : {}) });
    cursor ??= content.cursor;
    items.push(...content.items);
    next = content.next;
    if (!next) break;
  }
  return { items, cursor, isWhole: !next };
}
