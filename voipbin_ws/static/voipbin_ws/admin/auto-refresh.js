// Keeps the state of the system, and the list of live connections, fresh while nobody is choosing or writing in it.
"use strict";

(() => {
  const SYSTEM_MS = 5000;
  const LIST_MS = 2500;

  const isBusy = (selector) => document.hidden || document.querySelector(selector) !== null;
  const rowsOf = (page) => [...page.querySelectorAll("#result_list tbody tr")];
  const keysOf = (page) => rowsOf(page).map((row) => row.querySelector(".action-select, th a")?.outerHTML).join();

  /** Call `show` with the page as it is now, every so often and when the tab is looked at again, unless `busy` matches. */
  function keepFresh(milliseconds, busy, show) {
    const refresh = async () => {
      if (isBusy(busy)) return;
      const answer = await fetch(location.href);
      // Whoever was logged out meanwhile keeps what is shown until the next click.
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!isBusy(busy)) show(fresh);
    };
    setInterval(() => refresh().catch(() => {}), milliseconds);
    document.addEventListener("visibilitychange", () => refresh().catch(() => {}));
  }

  function showSystem(fresh) {
    const system = fresh.getElementById("system");
    if (system !== null) document.getElementById("system").replaceWith(document.adoptNode(system));
  }

  function showList(fresh) {
    if (keysOf(fresh) !== keysOf(document)) {
      // The checkboxes have their listeners from when the page was loaded.
      location.reload();
      return;
    }
    const now = rowsOf(fresh);
    rowsOf(document).forEach((row, at) => {
      [...row.cells].forEach((cell, column) => {
        const html = now[at].cells[column].innerHTML;
        if (!cell.matches(".action-checkbox") && cell.innerHTML !== html) cell.innerHTML = html;
      });
    });
  }

  if (document.getElementById("system")) keepFresh(SYSTEM_MS, "#system:focus-within", showSystem);
  if (document.getElementById("changelist")) keepFresh(LIST_MS, "#changelist :focus, #changelist-form tbody input:checked", showList);
})();
