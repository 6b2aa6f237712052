/** Swagger UI with the gateway's own OpenAPI document. It forgets its credential when the page is closed. */

// Swagger UI is dark by a class.
const root = document.documentElement;
const showTheme = () => root.classList.toggle("dark-mode", root.dataset.theme === "dark");
new MutationObserver(showTheme).observe(root, { attributeFilter: ["data-theme"] });
showTheme();

const place = /** @type {HTMLElement} */ (document.getElementById("swagger"));

/** @type {any} */ (window).SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
