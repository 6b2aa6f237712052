/** The choice of the language, which the gateway reads from a cookie. */

const YEAR_SECONDS = 31_536_000;

/** Let the page's choices of the language load the page in it. */
export function enableLanguageChoice() {
  for (const choice of /** @type {NodeListOf<HTMLSelectElement>} */ (document.querySelectorAll("[data-language]"))) {
    choice.addEventListener("change", () => {
      const secure = location.protocol === "https:" ? "; secure" : "";
      document.cookie = `django_language=${choice.value}; path=/; max-age=${YEAR_SECONDS}; samesite=lax${secure}`;
      location.reload();
    });
  }
}
