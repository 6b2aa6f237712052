/**
 * The choice of light, dark or automatic, and its button.
 *
 * Not a module, so that it runs before the first paint: a page that turns dark later would flash.
 */
(() => {
  const ORDER = ["auto", "light", "dark"];
  const KEY = "voipbin.theme";
  const isDark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = ORDER[0];
  try {
    chosen = ORDER.find((name) => name === localStorage.getItem(KEY)) ?? chosen;
  } catch {
    // The browser allows no storage.
  }
  const show = () => {
    document.documentElement.dataset.theme = chosen === "auto" ? (isDark.matches ? "dark" : "light") : chosen;
    const button = document.getElementById("theme");
    if (!button) return;
    button.title = button.dataset[chosen] ?? chosen;
    button.setAttribute("aria-label", button.title);
  };
  show();
  isDark.addEventListener("change", show);
  addEventListener("DOMContentLoaded", () => {
    show();
    document.getElementById("theme")?.addEventListener("click", () => {
      chosen = ORDER[(ORDER.indexOf(chosen) + 1) % ORDER.length];
      try {
        localStorage.setItem(KEY, chosen);
      } catch {
        // The choice lasts until the page is closed.
      }
      show();
    });
  });
})();
