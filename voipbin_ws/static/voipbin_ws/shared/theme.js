// Before the first paint, so that nobody who chose dark is dazzled: this is no module, and waits for nothing.
(() => {
  const NAMES = { auto: "automatic", light: "light", dark: "dark" };
  const ORDER = Object.keys(NAMES);
  const read = () => {
    try {
      return localStorage.getItem("voipbin.theme");
    } catch {
      return null; // No storage here: automatic it is.
    }
  };
  const isDark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = ORDER.includes(read()) ? read() : "auto";
  const show = () => {
    document.documentElement.dataset.theme = chosen === "auto" ? (isDark.matches ? "dark" : "light") : chosen;
    const button = document.getElementById("theme");
    if (button) button.textContent = `Theme: ${NAMES[chosen]}`;
  };
  show();
  isDark.addEventListener("change", show);
  addEventListener("DOMContentLoaded", () => {
    show();
    document.getElementById("theme")?.addEventListener("click", () => {
      chosen = ORDER[(ORDER.indexOf(chosen) + 1) % ORDER.length];
      try {
        localStorage.setItem("voipbin.theme", chosen);
      } catch {
        // It holds for this page at least.
      }
      show();
    });
  });
})();
