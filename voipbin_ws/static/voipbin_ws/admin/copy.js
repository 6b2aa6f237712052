// Buttons with data-copy put the text of the element that they name into the clipboard.
"use strict";

(() => {
    const SAID_MS = 2000;

    async function copy(element) {
        if (navigator.clipboard && window.isSecureContext) {
            await navigator.clipboard.writeText(element.textContent);
            return;
        }
        // Over plain HTTP browsers give no clipboard: the older way needs a selection.
        getSelection().selectAllChildren(element);
        if (!document.execCommand("copy")) {
            throw new Error("the browser refused to copy");
        }
        getSelection().removeAllRanges();
    }

    function setText(button, words) {
        button.dataset.words ??= button.textContent;
        button.textContent = words;
        setTimeout(() => { button.textContent = button.dataset.words; }, SAID_MS);
    }

    document.addEventListener("click", async (event) => {
        /** @type {HTMLElement} */
        const button = /** @type {Element} */ (event.target).closest("[data-copy]");
        if (!button) {
            return;
        }
        const element = document.getElementById(button.dataset.copy);
        try {
            await copy(element);
            setText(button, "Copied");
        } catch {
            getSelection().selectAllChildren(element);
            setText(button, "Press Ctrl+C");
        }
    });
})();
