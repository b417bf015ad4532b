// The page: Better Auth's client, and the backend's tasks by cookie or by JWT.
// BACKEND_URL is filled in by server.mjs.

import { createAuthClient } from "better-auth/client";
import { jwtClient } from "better-auth/client/plugins";

const authClient = createAuthClient({ plugins: [jwtClient()] });
const byId = (id) => document.getElementById(id);

// --- calling the backend ---------------------------------------------------------

function withCookie(path, options) {
  return fetch(BACKEND_URL + path, { ...options, credentials: "include" });
}

async function withToken(path, options = {}) {
  const { data } = await authClient.token();
  const headers = { ...options.headers };
  if (data) headers.authorization = `Bearer ${data.token}`;
  // A cookie and a token at once would be refused.
  return fetch(BACKEND_URL + path, { ...options, headers, credentials: "omit" });
}

async function call(method, task) {
  show("answer", "");
  list([]);
  const by = new FormData(byId("credentials")).get("by");
  const send = by === "cookie" ? withCookie : withToken;
  const options = { method };
  if (task) {
    options.headers = { "content-type": "application/json" };
    options.body = JSON.stringify(task);
  }
  const asked = `${method} /tasks with the ${by}`;
  try {
    const answer = await send("/tasks", options);
    const body = await answer.json();
    const said = answer.ok ? "" : `: ${body.detail}`;
    show("answer", `${asked}: ${answer.status}${said}`);
    list(answer.ok ? body : []);
  } catch (error) {
    show("answer", `${asked}: no answer (${error.message})`);
  }
}

// --- the page --------------------------------------------------------------------

function show(id, text) {
  byId(id).textContent = text;
}

function list(tasks) {
  const items = tasks.map(({ title }) => {
    const item = document.createElement("li");
    item.textContent = title;
    return item;
  });
  byId("tasks").replaceChildren(...items);
}

async function sign(how) {
  const { name, ...known } = Object.fromEntries(new FormData(byId("account")));
  const { error } =
    how === "up"
      ? await authClient.signUp.email({ name, ...known })
      : await authClient.signIn.email(known);
  show("problem", error?.message ?? "");
}

authClient.useSession.subscribe(({ data, isPending }) => {
  if (isPending) return;
  show("user", data ? `Signed in as ${data.user.name} (${data.user.email})` : "Signed out");
  byId("account").hidden = Boolean(data);
  byId("sign-out").hidden = !data;
});

byId("account").addEventListener("submit", (event) => {
  event.preventDefault();
  sign(event.submitter.value);
});
byId("new-task").addEventListener("submit", (event) => {
  event.preventDefault();
  call("POST", { title: new FormData(event.target).get("title") });
  event.target.reset();
});
byId("list").addEventListener("click", () => call("GET"));
byId("sign-out").addEventListener("click", () => authClient.signOut());
