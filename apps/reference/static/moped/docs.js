// Shows the reference. A signed-in browser's cookie never enters this page: only its CSRF token does.
"use strict";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

const place = document.getElementById("reference");

// Commands to copy carry a placeholder: neither a token that was pasted nor the CSRF token of the cookie.
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
