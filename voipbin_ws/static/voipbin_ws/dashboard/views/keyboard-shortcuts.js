/** The keys that the page heeds, and the list of them. */

import { element } from "../../shared/dom.js";

const KEPT = "voipbin.keys";

function isTyping(target) {
  return target.matches?.("input:not([type=checkbox]), select, textarea");
}

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // No storage here.
  }
}

function keep(value) {
  try {
    localStorage.setItem(KEPT, value);
  } catch {
    // It holds for this page at least.
  }
}

/** Call `actions[key]` for single keys, as long as nobody types and they are not switched off; `escape()` for Escape. */
export function enableShortcuts(actions, escape, isShown) {
  const dialog = /** @type {HTMLDialogElement} */ (element("help"));
  const choice = /** @type {HTMLInputElement} */ (element("keys-on"));
  choice.checked = kept() !== "off";
  choice.addEventListener("change", () => keep(choice.checked ? "on" : "off"));
  const help = () => dialog.showModal();
  element("help-button").addEventListener("click", help);
  addEventListener("keydown", (event) => {
    if (dialog.open || !isShown() || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      escape(event.target);
      return;
    }
    const action = { ...actions, "?": help }[event.key];
    if (!action || isTyping(event.target) || !choice.checked) return;
    event.preventDefault();
    action();
  });
}
