// Calls a running API with the types that openapi-typescript makes of openapi.yaml. Arguments: address, token.
import createClient from "openapi-fetch";
import type { paths } from "./reference.js";

declare const process: { argv: string[] };
const [, , url, token] = process.argv;
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${token}` } });

function check(holds: boolean, what: unknown): asserts holds {
  if (!holds) throw new Error(JSON.stringify(what));
}

const person = {
  email: "typed.client@austintexas.gov", first_name: "Jane", last_name: "Doe", title: "Planner",
  workgroup_id: 1, roles: ["moped-editor" as const], password: "Correct-Horse-7",
};
const created = await client.POST("/users/", { body: person });
check(created.data !== undefined && created.data.email === person.email, created.error);
const roles: string[] | null = created.data.roles;
check(roles?.[0] === "moped-editor", roles);

const refused = await client.POST("/users/", { body: { ...person, password: "Another-Horse-7" } });
check(refused.error?.status === 409 && refused.error.code === "user_exists", refused);
const code: "address_taken" | "busy" | "user_exists" = refused.error.code;
check(refused.error.error?.["email"]?.length === 1, code);

const form = await client.GET("/files/request-signature", { params: { query: { file: "plan.pdf" } } });
check(form.data !== undefined, form.error);
const fields = new FormData();
Object.entries(form.data.credentials.fields).forEach(([name, value]) => fields.append(name, value));
fields.append("file", new Blob(["a plan"]), "plan.pdf");
const posted = await fetch(form.data.credentials.url, { method: "POST", body: fields });
check(posted.ok, await posted.text());

const link = await client.GET("/files/download/{key}", { params: { path: { key: form.data.filename } } });
check(link.data !== undefined, link.error);
const file = await fetch(link.data.download_url);
check(await file.text() === "a plan", file.status);
