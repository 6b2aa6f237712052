/** Buttons with `data-copy` copy the text of the element with that id to the clipboard. */
import { gettext } from "../shared/gettext.js";

(() => {
  const SHOWN_MS = 2000;

  /** @param {HTMLElement} element */
  async function copy(element) {
    if (navigator.clipboard && window.isSecureContext) {
      await navigator.clipboard.writeText(element.textContent);
      return;
    }
    // Over plain HTTP browsers have no clipboard API; the older way copies the selection.
    getSelection()?.selectAllChildren(element);
    if (!document.execCommand("copy")) throw new Error("the browser refused to copy");
    getSelection()?.removeAllRanges();
  }

  /** Show a text on a button for a moment. @param {HTMLElement} button @param {string} text */
  function showText(button, text) {
    button.dataset.words ??= button.textContent;
    button.textContent = text;
    setTimeout(() => (button.textContent = button.dataset.words ?? ""), SHOWN_MS);
  }

  document.addEventListener("click", async (event) => {
    const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-copy]"));
    const element = document.getElementById(button?.dataset.copy ?? "");
    if (!button || !element) return;
    try {
      await copy(element);
      showText(button, gettext("Copied"));
    } catch {
      getSelection()?.selectAllChildren(element);
      showText(button, gettext("Press Ctrl+C"));
    }
  });
})();
