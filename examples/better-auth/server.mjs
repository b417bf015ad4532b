// The frontend: a Better Auth server, and the page that uses its client.
// `run` sets the variables that it reads.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { bearer, jwt } from "better-auth/plugins";
import { build } from "esbuild";
import { SqliteDialect } from "kysely";
import Database from "libsql";

const { BACKEND_URL, BETTER_AUTH_DATABASE, BETTER_AUTH_URL, PORT } = process.env;

const database = new Database(BETTER_AUTH_DATABASE);
database.pragma("journal_mode = WAL"); // the backend reads while it writes

const options = {
  baseURL: BETTER_AUTH_URL,
  database: { dialect: new SqliteDialect({ database }), type: "sqlite" },
  emailAndPassword: { enabled: true },
  plugins: [jwt(), bearer()],
  telemetry: { enabled: false },
};
await (await getMigrations(options)).runMigrations();

const { outputFiles } = await build({
  absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
  entryPoints: ["page.js"],
  bundle: true,
  format: "esm",
  write: false,
  define: { BACKEND_URL: JSON.stringify(BACKEND_URL) },
});
const files = {
  "/": ["text/html", await readFile(new URL("index.html", import.meta.url))],
  "/page.js": ["text/javascript", outputFiles[0].text],
};
const authenticate = toNodeHandler(betterAuth(options));

async function answer(request, response) {
  const [pathname] = request.url.split("?");
  if (pathname.startsWith("/api/auth/")) return authenticate(request, response);
  const [type, content] = files[pathname] ?? [];
  if (!type) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(content);
}

createServer((request, response) => {
  answer(request, response).catch(() => {
    // What is no URL, or has an odd Host, must not end the process.
    if (!response.headersSent) response.writeHead(400);
    response.end();
  });
}).listen(PORT, "127.0.0.1");
