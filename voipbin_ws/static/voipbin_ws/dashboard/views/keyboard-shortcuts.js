/** The page's keyboard shortcuts, the dialog that lists them, and the choice to turn them off. */

import { element, field } from "../../shared/dom.js";
import { browserData } from "../../shared/site-data.js";

const KEY = "voipbin.keys";

/**
 * Call `actions[key]` for single keys, unless the user is typing or has turned the shortcuts off, or the page is not shown.
 * @param {Record<string, () => void>} actions @param {(target: EventTarget | null) => void} escape @param {() => boolean} isShown
 */
export function enableShortcuts(actions, escape, isShown) {
  const dialog = /** @type {HTMLDialogElement} */ (element("help"));
  const choice = field("keys-on");
  choice.checked = browserData.get(KEY) !== "off";
  choice.addEventListener("change", () => browserData.set(KEY, choice.checked ? "on" : "off"));
  const help = () => dialog.showModal();
  element("help-button").addEventListener("click", help);
  addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open], :popover-open") || !isShown() || event.ctrlKey || event.metaKey || event.altKey) return;
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
