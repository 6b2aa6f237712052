// Keeps the list of live connections fresh, while nobody is choosing or writing in it.
"use strict";

(() => {
    const EVERY_MS = 2500;

    const isBusy = () => document.hidden
        || document.querySelector("#changelist :focus, #changelist-form tbody input:checked") !== null;
    const rowsOf = (page) => [...page.querySelectorAll("#result_list tbody tr")];
    const keysOf = (page) => rowsOf(page).map((row) => row.querySelector(".action-select, th a")?.outerHTML).join();

    async function refresh() {
        if (isBusy()) {
            return;
        }
        const answer = await fetch(location.href);
        // Whoever was logged out meanwhile keeps the old list until the next click.
        if (!answer.ok || answer.redirected || isBusy()) {
            return;
        }
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (keysOf(fresh) !== keysOf(document)) {
            // The checkboxes have their listeners from when the page was loaded.
            location.reload();
            return;
        }
        const now = rowsOf(fresh);
        rowsOf(document).forEach((row, at) => {
            [...row.cells].forEach((cell, column) => {
                const html = now[at].cells[column].innerHTML;
                if (!cell.matches(".action-checkbox") && cell.innerHTML !== html) {
                    cell.innerHTML = html;
                }
            });
        });
    }

    setInterval(() => refresh().catch(() => {}), EVERY_MS);
    document.addEventListener("visibilitychange", () => refresh().catch(() => {}));
})();
