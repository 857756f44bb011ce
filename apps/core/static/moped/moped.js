// Sends the raw JSON forms of the browsable API and shows the page that comes back.
"use strict";

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form.raw");
  if (!form) return;
  event.preventDefault();
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) return;
  const text = form.querySelector("textarea");
  const response = await fetch(form.getAttribute("action"), {
    method: form.dataset.method,
    headers: {
      "Accept": "text/html",
      "X-CSRFToken": document.getElementById("csrf").dataset.token,
      ...(text ? { "Content-Type": "application/json" } : {}),
    },
    body: text ? text.value : undefined,
  });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const written = text ? text.value : "";
  document.body.replaceWith(page.body);
  const again = document.getElementById(text ? text.id : "");
  if (again) again.value = written;
  document.getElementById("content").focus();
});
