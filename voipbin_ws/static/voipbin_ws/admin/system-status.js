// Keeps the state of the system fresh while somebody looks at it.
"use strict";

(() => {
    const EVERY_MS = 5000;
    const shown = () => document.getElementById("system");

    async function refresh() {
        const before = shown();
        if (document.hidden || before === null || before.contains(document.activeElement)) {
            return;
        }
        const answer = await fetch(location.href);
        // Whoever was logged out meanwhile keeps the last state until the next click.
        if (!answer.ok || answer.redirected) {
            return;
        }
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("system");
        if (fresh !== null && !before.contains(document.activeElement)) {
            before.replaceWith(document.adoptNode(fresh));
        }
    }

    setInterval(() => refresh().catch(() => {}), EVERY_MS);
    document.addEventListener("visibilitychange", () => refresh().catch(() => {}));
})();
