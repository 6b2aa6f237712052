// Swagger UI on the gateway's own description. It keeps no credential once the page is closed.

const place = document.getElementById("swagger");

/** @type {any} */ (window).SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
