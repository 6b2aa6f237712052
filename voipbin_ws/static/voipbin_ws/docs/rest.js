/** Swagger UI with the gateway's own OpenAPI document. It forgets its credential when the page is closed. */

// Swagger UI is dark by a class.
const root = document.documentElement;
const showTheme = () => root.classList.toggle("dark-mode", root.dataset.theme === "dark");
new MutationObserver(showTheme).observe(root, { attributeFilter: ["data-theme"] });
showTheme();

const place = /** @type {HTMLElement} */ (document.getElementById("swagger"));

/** Correct what Swagger UI draws without a name or landmark, within a button, or at the wrong level of headings. */
function correct() {
  for (const link of place.querySelectorAll(".opblock-summary-control a[href]")) link.removeAttribute("href");
  for (const heading of place.querySelectorAll("h3.opblock-tag")) heading.setAttribute("aria-level", "2");
  for (const heading of place.querySelectorAll("h4")) heading.setAttribute("aria-level", "3");
  place.querySelector("#servers")?.setAttribute("aria-label", "Server");
  for (const [part, name] of [[".information-container", "About"], [".scheme-container", "Server and credential"]]) {
    place.querySelector(part)?.setAttribute("role", "region");
    place.querySelector(part)?.setAttribute("aria-label", name);
  }
}
new MutationObserver(correct).observe(place, { childList: true, subtree: true });

/** @type {any} */ (window).SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
