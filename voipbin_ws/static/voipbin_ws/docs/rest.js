/** Swagger UI with the gateway's own OpenAPI document. It forgets its credential when the page is closed. */

const place = /** @type {HTMLElement} */ (document.getElementById("swagger"));

/** @type {any} */ (window).SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
