/** Refreshes the system status and the list of live connections, unless the operator is using them. */
"use strict";

(() => {
  const SYSTEM_MS = 5000;
  const LIST_MS = 2500;

  /** @param {Document} page */
  const rowsOf = (page) => /** @type {HTMLTableRowElement[]} */ ([...page.querySelectorAll("#result_list tbody tr")]);
  /** @param {Document} page */
  const keysOf = (page) => rowsOf(page).map((row) => row.querySelector(".action-select, th a")?.outerHTML).join();

  /**
   * Load the page regularly and when the tab becomes visible, unless an element matches `busy`.
   * @param {number} milliseconds @param {string} busy @param {(fresh: Document) => void} show
   */
  function keepFresh(milliseconds, busy, show) {
    const isBusy = () => document.hidden || document.querySelector(busy) !== null;
    const refresh = async () => {
      if (isBusy()) return;
      const response = await fetch(location.href);
      // An operator who is signed out keeps the page until the next click.
      if (!response.ok || response.redirected) return;
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      if (!isBusy()) show(fresh);
    };
    setInterval(() => refresh().catch(() => {}), milliseconds);
    document.addEventListener("visibilitychange", () => refresh().catch(() => {}));
  }

  /** @param {Document} fresh */
  function showSystem(fresh) {
    const system = fresh.getElementById("system");
    if (system !== null) document.getElementById("system")?.replaceWith(document.adoptNode(system));
  }

  /** @param {Document} fresh */
  function showList(fresh) {
    if (keysOf(fresh) !== keysOf(document)) {
      // Django attaches the handlers of the checkboxes when the page loads.
      location.reload();
      return;
    }
    const freshRows = rowsOf(fresh);
    for (const [index, row] of rowsOf(document).entries()) {
      for (const [column, cell] of [...row.cells].entries()) {
        const html = freshRows[index].cells[column].innerHTML;
        if (!cell.matches(".action-checkbox") && cell.innerHTML !== html) cell.innerHTML = html;
      }
    }
  }

  if (document.getElementById("system")) keepFresh(SYSTEM_MS, "#system:focus-within", showSystem);
  if (document.getElementById("changelist")) keepFresh(LIST_MS, "#changelist :focus, #changelist-form tbody input:checked", showList);
})();
