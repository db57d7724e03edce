// The readable page of the API: Swagger UI, fed with our own OpenAPI document.
const place = document.getElementById("reference");
window.SwaggerUIBundle({
  url: place.dataset.openapi,
  domNode: place,
  deepLinking: true,
  persistAuthorization: false,
});
