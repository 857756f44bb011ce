// Signs a form for the chosen file, posts the file to the bucket, and links to its download.
"use strict";

const form = document.getElementById("upload");
const status = document.getElementById("upload-status");
const progress = document.getElementById("upload-progress");
const project = document.getElementById("upload-project");
const record = document.getElementById("record"); // on a laptop, which has no editor
const UNRECORDED = "The Moped editor records a file of a project before it can be downloaded.";

const sign = async (file) => {
  const query = new URLSearchParams({ file: file.name, project_id: project.value });
  const response = await fetch(`${form.action}?${query}`, { headers: { Accept: "application/json" } });
  const body = await response.json();
  if (response.ok) return body;
  throw new Error(`${Object.values(body.error ?? {}).flat()[0] ?? body.detail} (${body.code}, request ${body.request_id})`);
};

const post = ({ url, fields }, file) =>
  new Promise((resolve, reject) => {
    const data = new FormData();
    Object.entries(fields).forEach(([name, value]) => data.append(name, value));
    data.append("file", file);
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => { if (event.lengthComputable) progress.value = event.loaded / event.total; };
    request.onload = () => (request.status < 300 ? resolve() : reject(new Error(`The bucket answered ${request.status}.`)));
    request.onerror = () => reject(new Error("The bucket cannot be reached from this page, or does not allow its origin."));
    request.open("POST", url);
    request.send(data);
  });

if (form) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const file = document.getElementById("upload-file").files[0];
    progress.hidden = false;
    progress.value = 0;
    status.textContent = "Uploading…";
    if (record) record.hidden = true;
    try {
      const { credentials, filename } = await sign(file);
      await post(credentials, file);
      progress.value = 1;
      const link = document.createElement("a");
      link.href = form.dataset.download.replace("KEY", filename.split("/").map(encodeURIComponent).join("/"));
      link.textContent = "Download";
      const key = document.createElement("code");
      key.textContent = filename;
      status.replaceChildren("Uploaded as ", key, ". ", project.value ? UNRECORDED : link);
      if (project.value && record) {
        record.elements.key.value = filename;
        record.hidden = false;
      }
    } catch (error) {
      status.textContent = error.message;
    }
  });
}
