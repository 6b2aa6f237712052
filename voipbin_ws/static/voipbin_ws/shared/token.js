/**
 * The token of this browser, which its tabs share.
 *
 * Each tab keeps it in sessionStorage, so that it ends with the browser. A new tab receives it from another one. Only "Stay
 * signed in" keeps it in localStorage.
 */

import { browserData, tabData } from "./site-data.js";

const KEY = "voipbin.token";
const CHANNEL = "voipbin.session";
const HAND_OVER_MS = 300;

/** @typedef {{ type: "request" } | { type: "token" | "sign-out", token: string }} TabMessage */

/** @type {BroadcastChannel | null} */
let channel = null;
try {
  channel = new BroadcastChannel(CHANNEL);
} catch {
  // The browser blocks site data: every tab signs in.
}

let ownKey = ""; // In place of a token.

/** Use an access key in this page, whatever the other tabs do. @param {string} key */
export function useKey(key) {
  ownKey = key;
}

/** @param {TabMessage} message */
function tellTabs(message) {
  channel?.postMessage(message);
}

export function token() {
  return ownKey || (tabData.get(KEY) ?? browserData.get(KEY));
}

/** Keep a new token, and give it to the tabs that show the sign-in form. @param {string} value @param {boolean} staysSignedIn */
export function keepToken(value, staysSignedIn) {
  tabData.set(KEY, value);
  if (staysSignedIn) browserData.set(KEY, value);
  tellTabs({ type: "token", token: value });
}

/** Keep a new token in all tabs, in place of the one that ended. @param {string} value */
export function replaceToken(value) {
  const staysSignedIn = browserData.get(KEY) !== null;
  dropTokenEverywhere();
  keepToken(value, staysSignedIn);
}

/** Forget the token in this tab. */
export function dropToken() {
  if (ownKey) return;
  const value = token();
  tabData.remove(KEY);
  if (browserData.get(KEY) === value) browserData.remove(KEY);
}

/** Forget the token in all tabs. */
export function dropTokenEverywhere() {
  const value = token();
  dropToken();
  if (value) tellTabs({ type: "sign-out", token: value });
}

/**
 * Call `signedIn` when another tab gives the token to this one, and `signedOut` when another tab signs out.
 * @param {{ signedIn(): void, signedOut(): void }} callbacks
 */
export function followTabs({ signedIn, signedOut }) {
  channel?.addEventListener("message", (/** @type {MessageEvent<TabMessage>} */ { data }) => {
    if (ownKey) return;
    const own = token();
    if (data.type === "request") {
      if (own) tellTabs({ type: "token", token: own });
    } else if (data.type === "token") {
      if (own) return;
      tabData.set(KEY, data.token);
      signedIn();
    } else if (data.token === own) {
      dropToken();
      signedOut();
    }
  });
}

/** Ask the other tabs for the token; fulfilled when it should have come. */
export async function requestToken() {
  if (!channel) return;
  tellTabs({ type: "request" });
  await new Promise((resolve) => setTimeout(resolve, HAND_OVER_MS));
}
