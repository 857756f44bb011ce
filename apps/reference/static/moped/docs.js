// Shows the reference. This script gets only the CSRF token, not the cookie of a signed-in browser.
"use strict";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

const place = document.getElementById("reference");

// Commands to copy get a placeholder, so that they contain no pasted token and no CSRF token.
const hideTokens = (original, system) => (state, path, method) => {
  const request = original(path, method);
  if (!request) return request;
  const headers = request.get("headers").delete("X-CSRFToken").delete("Authorization");
  const isOpen = !system.specSelectors.specJson().hasIn(["paths", path, method, "security", 0, "idToken"]);
  return request.set("headers", isOpen ? headers : headers.set("Authorization", "Bearer <token>"));
};

window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  deepLinking: true,
  validatorUrl: null,
  docExpansion: "list",
  persistAuthorization: false,
  plugins: [{ statePlugins: { spec: { wrapSelectors: { mutatedRequestFor: hideTokens } } } }],
  requestInterceptor: (request) => {
    request.headers["X-CSRFToken"] = place.dataset.csrf;
    return request;
  },
});
