/** The page's keyboard shortcuts, the dialog that lists them, and the choice to turn them off. */

import { element, field } from "../../shared/dom.js";

const KEY = "voipbin.keys";

function isEnabled() {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true; // The browser allows no storage.
  }
}

/** @param {boolean} value */
function setEnabled(value) {
  try {
    localStorage.setItem(KEY, value ? "on" : "off");
  } catch {
    // The choice lasts until the page is closed.
  }
}

/**
 * Call `actions[key]` for single keys, unless the user is typing or has turned the shortcuts off, or the page is not shown.
 * @param {Record<string, () => void>} actions @param {(target: EventTarget | null) => void} escape @param {() => boolean} isShown
 */
export function enableShortcuts(actions, escape, isShown) {
  const dialog = /** @type {HTMLDialogElement} */ (element("help"));
  const choice = field("keys-on");
  choice.checked = isEnabled();
  choice.addEventListener("change", () => setEnabled(choice.checked));
  const help = () => dialog.showModal();
  element("help-button").addEventListener("click", help);
  addEventListener("keydown", (event) => {
    if (dialog.open || !isShown() || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      escape(event.target);
      return;
    }
    const action = { ...actions, "?": help }[event.key];
    const isTyping = event.target instanceof Element && event.target.matches("input:not([type=checkbox]), select, textarea");
    if (!action || isTyping || !choice.checked) return;
    event.preventDefault();
    action();
  });
}
